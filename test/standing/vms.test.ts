import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { standingGet } from '../../src/operations/standing/get.ts';
import { standingRescue } from '../../src/operations/standing/rescue.ts';
import { steerVms, type VmSteering } from '../../src/operations/standing/steer-vms.ts';
import { watchStandings } from '../../src/operations/standing/watch.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { usageRunway } from '../../src/operations/usage/runway.ts';
import type { SubscriptionRow } from '../../src/store/subscription.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { ownerOf, planStory, type PlanStory } from '../plan/plan-story.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let story: PlanStory;
beforeAll(async () => {
  story = await planStory(7_002);
});
afterEach(() => story.sound());
afterAll(() => story.close());

const run = (name: string, text: string, values: readonly unknown[]) =>
  story.database.owner.query({ name: `test.${name}`, text }, values);

/** A VM of a subscription, as whoever allocates one leaves it. */
async function vm(of: SubscriptionRow, name: string, stopOrder: number): Promise<string> {
  const sid = story.ports.ids.sid();
  await run(
    'insert_vm',
    `insert into allocation (sid, wallet, user_sid, subscription, provisioner, state, name, size, stop_order, expires_at, created_at, created_by)
     values ($1, $2, $3, $4, 'http', 'active', $5, 'small', $6, $7, $8, 'test')`,
    [sid, of.wallet, of.userSid, of.id, name, stopOrder, of.periodEndsAt, story.ports.clock.now()],
  );
  return sid;
}

/** Provisioners as they may be: those in `broken` never answer, and are asked again a minute later. */
function steering(asked: string[], broken: ReadonlySet<string> = new Set()): VmSteering {
  const turn = async (sid: string, state: 'suspended' | 'active'): Promise<void> => {
    const [row] = await run('vm_name', `select name from allocation where sid = $1`, [sid]);
    const name = String(row?.['name']);
    asked.push(`${state === 'suspended' ? 'stop' : 'start'} ${name}`);
    const checkAt = new Date(story.ports.clock.now().getTime() + 60_000);
    if (broken.has(name)) {
      const text = `update allocation set check_at = $2, problem = 'no answer' where sid = $1`;
      await run('vm_away', text, [sid, checkAt]);
    } else {
      await run('vm_turn', `update allocation set state = $2, check_at = null, problem = null where sid = $1`, [
        sid,
        state,
      ]);
    }
  };
  return { suspendVm: (_house, sid) => turn(sid, 'suspended'), resumeVm: (_house, sid) => turn(sid, 'active') };
}

const later = async (ms: number): Promise<void> => {
  await story.at(new Date(story.ports.clock.now().getTime() + ms));
  await renewDue(story.house);
  await watchStandings(story.house);
};

async function suspended(): Promise<{ wallet: WalletRow; row: SubscriptionRow }> {
  const wallet = await story.wallet(10n);
  const row = await story.buy(wallet);
  await vm(row, 'web', 2);
  await vm(row, 'scratch', 1);
  await vm(row, 'spare', 1);
  await watchStandings(story.house);
  await later(30 * DAY_MS);
  await later(72 * HOUR_MS);
  return { wallet, row };
}
const stands = async (wallet: WalletRow) => (await story.call(standingGet, { sid: wallet.sid }, ownerOf(wallet))).json;
const restored = async (wallet: WalletRow) => {
  const text = `select body from event where wallet = $1 and type = 'wallet.restored' order by sequence`;
  const rows = await run('restored', text, [wallet.id]);
  return rows.map(({ body }) => (JSON.parse(String(body)) as { data: Record<string, unknown> }).data);
};

describe('the VMs of a wallet that is suspended', () => {
  it('stop in the order of their user, start in the other, and what became of them is told once', async () => {
    const { wallet } = await suspended();
    const asked: string[] = [];
    await steerVms(story.house, steering(asked));
    await steerVms(story.house, steering(asked));
    expect(asked).toEqual(['stop spare', 'stop scratch', 'stop web']);
    expect(await stands(wallet)).toMatchObject({ state: 'suspended', vms: 3, stopped_vms: 3 });
    await story.fund(wallet, 20n);
    asked.length = 0;
    await later(5_000);
    expect(await stands(wallet)).toMatchObject({ state: 'active', stopped_vms: 3 });
    expect(await restored(wallet)).toEqual([]);
    await steerVms(story.house, steering(asked));
    await steerVms(story.house, steering(asked));
    expect(asked).toEqual(['start web', 'start scratch', 'start spare']);
    expect(await restored(wallet)).toMatchObject([{ was: 'suspended', restored: 3, not_restored: 0, why_not: null }]);
  });

  it('that cannot be started are named within a minute, with the reason, and tried on', async () => {
    const { wallet } = await suspended();
    await steerVms(story.house, steering([]));
    await story.fund(wallet, 20n);
    await later(5_000);
    const asked: string[] = [];
    const broken = steering(asked, new Set(['scratch']));
    await steerVms(story.house, broken);
    await later(30_000);
    await steerVms(story.house, broken);
    expect(await restored(wallet)).toEqual([]);
    expect(asked.filter((one) => one === 'start scratch')).toHaveLength(1);
    await later(30_000);
    await steerVms(story.house, broken);
    expect(await restored(wallet)).toMatchObject([{ restored: 2, not_restored: 1, why_not: 'scratch: no answer' }]);
    await later(60_000);
    await steerVms(story.house, steering(asked));
    expect(await stands(wallet)).toMatchObject({ stopped_vms: 0, restoring_since: null });
    expect(await restored(wallet)).toHaveLength(1);
  });

  it('run once more in the rescue window, which comes once and ends by itself', async () => {
    const { wallet } = await suspended();
    const rescue = () => story.call(standingRescue, { sid: wallet.sid }, ownerOf(wallet));
    await steerVms(story.house, steering([]));
    expect((await stands(wallet))['rescue']).toEqual({ is_available: true, until: null });
    const first = await rescue();
    expect(first.status).toBe(200);
    expect((await rescue()).json['rescue']).toEqual(first.json['rescue']);
    const asked: string[] = [];
    await steerVms(story.house, steering(asked));
    await steerVms(story.house, steering(asked));
    expect(asked).toHaveLength(3);
    expect(await story.balance(wallet)).toBe('0.00');
    await later(24 * HOUR_MS);
    await steerVms(story.house, steering(asked));
    expect(asked.slice(3)).toEqual(['stop spare', 'stop scratch', 'stop web']);
    expect((await rescue()).status).toBe(409);
    await later(13 * DAY_MS);
    expect(await stands(wallet)).toMatchObject({ state: 'released' });
    await steerVms(story.house, steering(asked));
    expect(asked).toHaveLength(6);
  });

  it('have a share of the plan in the runway', async () => {
    const wallet = await story.wallet(20n);
    const row = await story.buy(wallet);
    await vm(row, 'web', 0);
    const { json } = await story.call(usageRunway, { sid: wallet.sid }, ownerOf(wallet));
    expect(json['vms']).toMatchObject([{ name: 'web', stop_order: 0, per_hour: '0.002778', hours: 3_599 }]);
  });
});
