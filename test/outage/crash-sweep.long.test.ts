import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/operations/execute.ts';
import { grantGive } from '../../src/operations/grant/give.ts';
import type { House } from '../../src/operations/house.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { outageCancel } from '../../src/operations/outage/cancel.ts';
import { outageCreate } from '../../src/operations/outage/create.ts';
import { outageEnd } from '../../src/operations/outage/end.ts';
import { resumeOutages, settleOutage } from '../../src/operations/outage/settle.ts';
import { planCreate } from '../../src/operations/plan/create.ts';
import { sshKeyAdd } from '../../src/operations/ssh-key/add.ts';
import { formatDecimal, ZERO } from '../../src/domain/money.ts';
import { listOutages, settlingOutages } from '../../src/store/outage.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { PUBLIC_KEY } from '../allocation/public-key.ts';
import { vmStory, type VmStory } from '../allocation/vm-story.ts';
import { DAY_MS, OPERATOR, ownerOf } from '../plan/plan-story.ts';
import { oneIn } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { testPorts } from '../support/ports.ts';

let told: VmStory;
beforeAll(async () => {
  told = await vmStory(61);
});
afterAll(async () => {
  await told.sound();
  await told.close();
});

let processes = 0;
/** A process of its own that dies at its k-th await and every later one; `null` lives. Answers how many awaits it came to. */
async function runUntilDeath(run: (house: House) => Promise<unknown>, at: number | null): Promise<string[]> {
  processes += 1;
  const ports = testPorts({ seed: 300 + processes, now: told.ports.clock.now() });
  const db = told.database.open({ ports });
  const dying = told.another({ db, ports });
  ports.crash.dieAfter(at);
  await run(dying).catch(() => null);
  const reached = [...ports.crash.reached];
  ports.crash.dieAfter(null);
  await gone(told);
  await dying.lanes.close();
  await db.close();
  return reached;
}

const iso = (ms: number): string => new Date(told.ports.clock.now().getTime() + ms).toISOString();

/** What an operator asks; a refusal is as bad as a crash. Says again what it said before, under the same key. */
async function ask(house: House, operation: Operation, input: object, key: string | null): Promise<string> {
  const requestId = house.ports.ids.requestId();
  const reply = await execute(house, operation, { actor: OPERATOR, input, idempotencyKey: key, requestId });
  if (reply.status >= 300) throw new Error(reply.body);
  return reply.body;
}

const moneyOf = async ({ sid }: WalletRow): Promise<string[]> => {
  const row = await readWalletBySid(told.database.db, sid);
  return [formatDecimal(row?.balance ?? ZERO), formatDecimal(row?.given ?? ZERO)];
};

/** Somebody who has paid a plan of ten dollars out of so much that was given and the rest in money, and runs one VM of its five. */
async function renterOf(given: string | null, dollars: bigint): Promise<WalletRow> {
  const wallet = await told.wallet(dollars);
  if (given !== null) {
    const grant = { wallet_sid: wallet.sid, amount: given, kind: 'promo', reason: 'welcome' };
    expect((await told.operator(grantGive, grant)).status).toBe(201);
  }
  await told.buy(wallet);
  expect((await told.call(sshKeyAdd, { public_key: PUBLIC_KEY }, ownerOf(wallet))).status).toBe(201);
  await told.vm(wallet);
  return wallet;
}

let hosts = 0;
/** Three VMs on a host of their own, two days ago: paid with money, given, and all but two cents given. */
async function hostOfThree(): Promise<{ readonly host: string; readonly wallets: readonly WalletRow[] }> {
  hosts += 1;
  const host = `sweep-${hosts}`;
  await told.machines(3, { host });
  const wallets = [await renterOf(null, 10n), await renterOf('12.00', 0n), await renterOf('9.98', 1n)];
  await told.ports.clock.advance(2 * DAY_MS);
  return { host, wallets };
}

const AUDITED = {
  name: 'test.audited',
  text: 'select audit.action from audit join outage on outage.sid = audit.subject where outage.subject_ref = $1 order by 1',
};

/** What is left of it all: the money, what the wallets were told, the outages, and what was written down about them. */
async function booksOf({ host, wallets }: Awaited<ReturnType<typeof hostOfThree>>) {
  const outages = (await listOutages(told.database.db, { before: null, state: null, subject: 'host', limit: 500 }))
    .filter(({ subjectRef }) => subjectRef === host)
    .map(({ sid, state, vms, returned }) => ({ sid, state, vms, returned: formatDecimal(returned) }));
  const audit = await told.database.owner.query<{ action: string }>(AUDITED, [host]);
  return {
    money: await Promise.all(wallets.map((wallet) => moneyOf(wallet))),
    told: (await Promise.all(wallets.map((wallet) => told.events(wallet)))).map(
      (types) => types.filter((type) => type === 'outage.credited').length,
    ),
    outages: outages.map(({ sid: _sid, ...rest }) => rest),
    audit: audit.map(({ action }) => action),
  };
}

interface Flow {
  readonly name: string;
  /** Answers what dies; asked again, it goes on where the dead one stopped. */
  prepare(host: string): Promise<(house: House) => Promise<unknown>>;
  readonly audit: readonly string[];
}

const sidIn = (body: string): string => (JSON.parse(body) as { outage: { sid: string } }).outage.sid;

const FLOWS: readonly Flow[] = [
  {
    name: 'an outage that is over when it is told',
    prepare: (host) => {
      const input = { host, from: iso(-DAY_MS), until: iso(0), reason: 'power' };
      return Promise.resolve(async (house) =>
        settleOutage(house, sidIn(await ask(house, outageCreate, input, `over-${host}`))),
      );
    },
    audit: ['outage.create', 'outage.settle'],
  },
  {
    name: 'an outage that ends',
    prepare: async (host) => {
      const open = { host, from: iso(-DAY_MS), reason: 'power' };
      const sid = sidIn(await ask(told.house, outageCreate, open, null));
      const end = { sid, until: iso(0) };
      return async (house) => {
        await ask(house, outageEnd, end, null);
        await settleOutage(house, sid);
      };
    },
    audit: ['outage.create', 'outage.end', 'outage.settle'],
  },
];

// 10 dollars for 30 days of 5 VMs: a day of one is a 150th, rounded up. Money comes back before what was given.
const GIVEN_BACK = {
  money: [
    ['0.066667', '0.00'],
    ['0.00', '2.066667'],
    ['1.00', '0.046667'],
  ],
  told: [1, 1, 1],
  outages: [{ state: 'done', vms: 3, returned: '0.200001' }],
};

const BEFORE = {
  money: [
    ['0.00', '0.00'],
    ['0.00', '2.00'],
    ['0.98', '0.00'],
  ],
  told: [0, 0, 0],
};

const EVERY = oneIn(7);

/** More than one commit takes. */
const VMS = 103;

describe('G01 a process that dies anywhere while it gives back for an outage', () => {
  for (const flow of FLOWS) {
    it(`leaves ${flow.name} given back once, when two others finish its work at once`, async () => {
      const crossing = async (at: number | null): Promise<number> => {
        const made = await hostOfThree();
        const act = await flow.prepare(made.host);
        const reached = await runUntilDeath(act, at);
        // Who asked and heard nothing asks again; the ticks of two processes find what is left.
        await Promise.all([act(told.house), resumeOutages(told.house), resumeOutages(told.another())]);
        await resumeOutages(told.house);
        expect(await booksOf(made), `died at ${reached.at(-1)}`).toEqual({ ...GIVEN_BACK, audit: flow.audit });
        return reached.length;
      };
      const points = await crossing(null);
      for (let at = 0; at < points; at += EVERY) await crossing(at);
      console.info(`G01 ${flow.name}: ${points} crash points, one in ${EVERY} survived`);
      expect(points).toBeGreaterThan(40);
    }, 120_000);
  }

  it('leaves an outage that is cancelled meanwhile given back for all of it or for nothing', async () => {
    const seen = new Set<number | undefined>();
    const crossing = async (dying: 'settling' | 'cancelling', at: number | null): Promise<number> => {
      const made = await hostOfThree();
      const input = { host: made.host, from: iso(-DAY_MS), until: iso(0), reason: 'power' };
      const sid = sidIn(await ask(told.house, outageCreate, input, null));
      const cancel = (house: House) => ask(house, outageCancel, { sid, reason: 'another host' }, null);
      const settle = (house: House) => settleOutage(house, sid);
      const reached = await runUntilDeath(dying === 'settling' ? settle : cancel, at);
      await Promise.all([resumeOutages(told.house), cancel(told.house), settle(told.another())]);
      await cancel(told.house);
      await resumeOutages(told.house);
      const { outages, money, told: events, audit } = await booksOf(made);
      const [outage] = outages;
      seen.add(outage?.vms);
      const given = outage?.vms === 3;
      expect({ outages, money, events }, `died at ${reached.at(-1)}`).toEqual({
        outages: [{ state: 'cancelled', vms: given ? 3 : 0, returned: given ? '0.200001' : '0.00' }],
        money: given ? GIVEN_BACK.money : BEFORE.money,
        events: given ? GIVEN_BACK.told : BEFORE.told,
      });
      expect(audit.filter((action) => action !== 'outage.settle')).toEqual(['outage.cancel', 'outage.create']);
      return reached.length;
    };
    for (const dying of ['settling', 'cancelling'] as const) {
      const points = await crossing(dying, null);
      // A cancellation has few places.
      const every = dying === 'settling' ? EVERY : 1;
      for (let at = 0; at < points; at += every) await crossing(dying, at);
      console.info(`G01 an outage that is cancelled, ${dying}: ${points} crash points, one in ${every} survived`);
    }
    expect(seen).toEqual(new Set([0, 3]));
  }, 120_000);

  it('goes on behind the hundred that were committed, and what it has not given back another outage gives', async () => {
    const host = 'sweep-large';
    await told.machines(VMS, { host });
    const plan = { code: 'many', name: 'Many', price: '10.30', period_count: 30, vm_count: VMS, vm_size: 'small' };
    expect((await told.call(planCreate, plan)).status).toBe(201);
    const wallet = await told.wallet(11n);
    await told.buy(wallet, 'many');
    expect((await told.call(sshKeyAdd, { public_key: PUBLIC_KEY }, ownerOf(wallet))).status).toBe(201);
    for (let vm = 0; vm < VMS; vm += 1) await told.vm(wallet, `vm-${vm}`);
    /** An hour of all of them costs so much, each rounded up: 10.30 / 720 / 103 = 0.000138888…. */
    const hour = 139n * BigInt(VMS);
    const crossing = async (at: number | null, isCancelled: boolean): Promise<string[]> => {
      await told.ports.clock.advance(3_600_000);
      const input = { host, from: iso(-3_600_000), until: iso(0), reason: 'power' };
      const before = (await readWalletBySid(told.database.db, wallet.sid))?.balance ?? 0n;
      const sid = sidIn(await ask(told.house, outageCreate, input, null));
      const reached = await runUntilDeath((house) => settleOutage(house, sid), at);
      // Another outage names the same VMs: of one that was cancelled it gives back what is left; of one that was not, nothing.
      if (isCancelled) await ask(told.house, outageCancel, { sid, reason: 'not all of it' }, null);
      const again = sidIn(await ask(told.house, outageCreate, { ...input, reason: 'once more' }, null));
      const others = [told.house, told.another()];
      await Promise.all([...others.map((house) => settleOutage(house, again)), ...others.map(resumeOutages)]);
      expect(await settlingOutages(told.database.db, 10)).toEqual([]);
      const after = (await readWalletBySid(told.database.db, wallet.sid))?.balance ?? 0n;
      expect(after - before, `died at ${reached.at(-1)}, ${at}`).toBe(hour);
      return reached;
    };
    const reached = await crossing(null, false);
    const commit = reached.indexOf('commit:before:outage.settle');
    const around = (point: number): number[] => [point - 3, point - 1, point, point + 1, point + 3];
    const every = oneIn(211) * 37;
    const places = [...around(commit), ...around(reached.length - 3)];
    for (let at = 5; at < reached.length; at += every) places.push(at);
    for (const [number, at] of places.entries()) await crossing(at, number % 2 === 1);
    console.info(`G01 an outage of ${VMS} VMs: ${reached.length} crash points, ${places.length} of them survived`);
  }, 120_000);
});
