import { afterAll, beforeAll, expect, it } from 'vitest';
import type { House } from '../../src/operations/house.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { requestVm } from '../../src/operations/allocation/request.ts';
import { releaseVm } from '../../src/operations/allocation/steer.ts';
import { ownAuthor } from '../../src/operations/audit/record.ts';
import { machineSet } from '../../src/operations/machine/set.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { systemClock } from '../../src/ports/system.ts';
import { testPorts } from '../support/ports.ts';
import { vmStory, type VmStory } from './vm-story.ts';

let told: VmStory;
/** Two processes, each with a pool of connections of its own. */
let houses: House[];
beforeAll(async () => {
  told = await vmStory(31);
  houses = [1, 2].map((seed) => {
    const ports = testPorts({ seed: 400 + seed });
    return told.another({
      db: told.database.open({
        ports: { ...ports, clock: systemClock },
        poolMax: 8,
        waitingMax: 2_000,
        limits: { connectMs: 20_000 },
      }),
      ports,
    });
  });
});
afterAll(() => told.close());

let calls = 0;
/** What became of a wish: `active`, or the code of the refusal. */
async function ask(wallet: WalletRow): Promise<string> {
  calls += 1;
  const house = houses[calls % houses.length] ?? told.house;
  const idem = `00000000-0000-4000-8000-${String(calls).padStart(11, '0')}0`;
  const wish = { wallet: wallet.id, userSid: wallet.userSid, name: 'web', sshKeys: [], stopOrder: 0 };
  const row = await requestVm(house, { ...wish, idem, fingerprint: idem }, ownAuthor(house, 'test'));
  return isRefusal(row) ? row.code : row.state;
}

const counted = (answers: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(answers, (answer) => answer)].map(([answer, all]) => [answer, all.length]));

/** Wallets with a plan of ten, without the walk through buying it. */
async function renters(count: number): Promise<WalletRow[]> {
  const first = await told.renter('vm-10', 20n);
  const wallets = [first];
  while (wallets.length < count) {
    const wallet = await told.wallet(20n);
    await told.buy(wallet, 'vm-10');
    wallets.push(wallet);
  }
  return wallets;
}

it('of fifty who want the last VM at once one gets it, by two processes', async () => {
  const wallets = await renters(5);
  await told.machines(1);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => ask(wallets[at % 5] as WalletRow)));
  expect(counted(answers)).toEqual({ active: 1, pool_empty: 49 });
  expect(await told.pool()).toBe('allocated 1');
  await told.sound();
});

it('of a wallet that asks for twenty at once no more are given than its plan has', async () => {
  const [wallet] = await renters(1);
  await told.machines(30);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(wallet as WalletRow)));
  expect(counted(answers)).toEqual({ active: 10, quota_reached: 10 });
  await told.sound();
});

it(
  'a thousand at once over what five hundred machines have: each machine is given once, and nobody is refused while one is free',
  { timeout: 120_000 },
  async () => {
    const wallets = await renters(100);
    await told.machines(500 - 20);
    const before = await told.pool();
    expect(before).toContain('free 500');
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, at) => ask(wallets[at % 100] as WalletRow)));
    expect(counted(answers)).toEqual({ active: 500, pool_empty: 500 });
    expect(await told.pool()).not.toContain('free');
    await told.sound();
  },
);

it('nobody is refused because the last free machine is only being looked at', async () => {
  const wallet = (await renters(1))[0] as WalletRow;
  const [machine] = await told.machines(1);
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const isLocked = Promise.withResolvers<void>();
  const looking = told.database.owner.transaction('test.look', async (tx) => {
    await tx.query({ name: 'test.lock', text: 'select from machine where sid = $1 for update' }, [machine]);
    isLocked.resolve();
    await held;
  });
  await isLocked.promise;
  const answer = ask(wallet);
  const change = told.operator(machineSet, { sid: machine, labels: { rack: 'a' } });
  letGo();
  await looking;
  expect([await answer, (await change).status]).toEqual(['active', 200]);
});

it('who releases and who asks at once: what was given back is given again, and nothing twice', async () => {
  const wallets = await renters(4);
  await told.machines(4, { cleans_itself: true });
  const given = await Promise.all(wallets.map(ask));
  expect(counted(given)).toEqual({ active: 4 });
  const sids = await told.database.owner.query<{ sid: string }>({
    name: 'test.given',
    text: `select sid from allocation where state = 'active' order by id desc limit 4`,
  });
  const [gone] = await Promise.all([
    Promise.all(sids.map(({ sid }, at) => releaseVm(houses[at % 2] as House, sid, 'user'))),
    Promise.all(wallets.map(ask)),
  ]);
  expect(gone.map((row) => row?.state)).toEqual(['released', 'released', 'released', 'released']);
  await told.sound();
  const later = counted(await Promise.all(Array.from({ length: 8 }, (_, at) => ask(wallets[at % 4] as WalletRow))));
  expect(later['active'] ?? 0).toBeLessThanOrEqual(4);
  await told.sound();
});
