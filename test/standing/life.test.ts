import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { codeCreate } from '../../src/operations/code/create.ts';
import { codeRedeem } from '../../src/operations/code/redeem.ts';
import { grantGive } from '../../src/operations/grant/give.ts';
import { noticeGet } from '../../src/operations/notice/get.ts';
import { noticeSet } from '../../src/operations/notice/set.ts';
import { planBuy } from '../../src/operations/plan/buy.ts';
import { standingExtend } from '../../src/operations/standing/extend.ts';
import { followMoney } from '../../src/operations/standing/follow-money.ts';
import { standingGet } from '../../src/operations/standing/get.ts';
import { standingList } from '../../src/operations/standing/list.ts';
import { standingRescue } from '../../src/operations/standing/rescue.ts';
import { watchDue, watchStandings } from '../../src/operations/standing/watch.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { usageRunway } from '../../src/operations/usage/runway.ts';
import { userUpdate } from '../../src/operations/user/update.ts';
import { canRent, listMoves } from '../../src/store/standing.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { DAY_MS, ownerOf, planStory, type PlanStory } from '../plan/plan-story.ts';
import { testPorts } from '../support/ports.ts';

const HOUR_MS = 3_600_000;
let story: PlanStory;
beforeAll(async () => {
  story = await planStory(7_001);
});
afterAll(() => story.close());

const stands = async (wallet: WalletRow) => (await story.call(standingGet, { sid: wallet.sid }, ownerOf(wallet))).json;
const told = async ({ id }: WalletRow): Promise<string[]> => {
  const text = `select type from event where wallet = $1 and type like 'wallet.%' order by sequence`;
  const rows = await story.database.owner.query<{ type: string }>({ name: 'test.told', text }, [id]);
  return rows.map(({ type }) => type.replace('wallet.', ''));
};
let processes = 7_100;
/** As two processes would, at the same moment. The other one has ids of its own, also where the clock has not moved since the last time. */
async function tick(): Promise<void> {
  await renewDue(story.house);
  const other = story.another({ ports: testPorts({ seed: (processes += 1), now: story.ports.clock.now() }) });
  await Promise.all([watchStandings(story.house), watchStandings(other)]);
}
const later = async (ms: number): Promise<void> => {
  await story.at(new Date(story.ports.clock.now().getTime() + ms));
  await tick();
};

describe('a wallet that runs dry', () => {
  it('is warned, given time, suspended, and released; two processes tell each thing once', async () => {
    const wallet = await story.wallet(13n);
    await story.buy(wallet);
    await tick();
    expect(await stands(wallet)).toMatchObject({ state: 'active', reason: null, due: '0.00', next: null });
    await later(27 * DAY_MS - 1);
    expect(await told(wallet)).toEqual([]);
    await later(12 * HOUR_MS);
    await later(36 * HOUR_MS + 1);
    await later(20 * HOUR_MS);
    expect(await stands(wallet)).toMatchObject({ state: 'low', renewal: { price: '10.00' } });
    await later(4 * HOUR_MS);
    expect(await told(wallet)).toEqual(['runway', 'runway', 'runway', 'grace']);
    const graceUntil = new Date(story.ports.clock.now().getTime() + 72 * HOUR_MS);
    expect(await stands(wallet)).toMatchObject({
      state: 'empty',
      reason: 'plan',
      due: '7.00',
      next: { state: 'suspended', at: graceUntil.toISOString() },
    });
    await later(72 * HOUR_MS - 1);
    expect(await stands(wallet)).toMatchObject({ state: 'empty' });
    await later(1);
    expect(await stands(wallet)).toMatchObject({ state: 'suspended', next: { state: 'released' } });
    expect(await canRent(story.house.db, wallet.id)).toMatchObject({
      ok: false,
      refusal: { code: 'wallet_suspended' },
    });
    expect((await story.call(standingRescue, { sid: wallet.sid }, ownerOf(wallet))).status).toBe(409);
    await later(14 * DAY_MS);
    expect(await stands(wallet)).toMatchObject({ state: 'released', due: '0.00', next: null, renewal: null });
    await later(DAY_MS);
    expect(await canRent(story.house.db, wallet.id)).toEqual({ ok: true });
    await story.fund(wallet, 10n);
    await tick();
    expect(await stands(wallet)).toMatchObject({ state: 'active', reason: null });
    expect(await canRent(story.house.db, wallet.id)).toEqual({ ok: true });
    expect((await story.call(planBuy, { sid: wallet.sid, plan: 'vm-5' })).status).toBe(201);
    expect(await told(wallet)).toEqual(['runway', 'runway', 'runway', 'grace', 'suspended', 'released', 'restored']);
    const moves = (await listMoves(story.house.db, wallet.id, 20)).toReversed();
    expect(moves.map(({ from, to, number }) => `${number} ${from} ${to}`)).toEqual([
      '1 empty active',
      '2 active low',
      '3 low empty',
      '4 empty suspended',
      '5 suspended released',
      '6 released active',
    ]);
    await story.sound();
  });

  it('is in order again right after a top-up, and its period is paid', async () => {
    const wallet = await story.wallet(10n);
    const bought = await story.buy(wallet);
    await tick();
    await later(30 * DAY_MS);
    await later(72 * HOUR_MS);
    expect(await stands(wallet)).toMatchObject({ state: 'suspended', due: '10.00' });
    await story.fund(wallet, 20n);
    await followMoney(story.house, wallet.sid);
    expect(await stands(wallet)).toMatchObject({ state: 'active', due: '0.00' });
    expect((await story.again(bought)).state).toBe('active');
    expect(await told(wallet)).toContain('restored');
  });

  const redeem = async (wallet: WalletRow): Promise<number> => {
    const code = { code: 'HELP-ME-OUT', description: 'A hand', amount: '20.00', uses_max: 1 };
    expect((await story.call(codeCreate, code)).status).toBe(201);
    return (await story.call(codeRedeem, { sid: wallet.sid, code: 'help me out' }, ownerOf(wallet))).status;
  };
  const give = async ({ sid }: WalletRow): Promise<number> =>
    (await story.call(grantGive, { wallet_sid: sid, amount: '20.00', reason: 'A hand' })).status;

  it.each([
    ['a code is redeemed', redeem],
    ['credit is given', give],
  ])('is looked at right after %s, as after a top-up, and given credit pays its period', async (_, help) => {
    const wallet = await story.wallet(10n);
    const bought = await story.buy(wallet);
    await tick();
    await later(30 * DAY_MS);
    const text = `select jobs.id from graphile_worker._private_jobs as jobs join graphile_worker._private_tasks as tasks on tasks.id = jobs.task_id
                  where identifier = 'standing.watch' and jobs.payload ->> 'sid' = $1`;
    const nudges = () => story.database.owner.query({ name: 'test.nudges', text }, [wallet.sid]);
    const preview = { wallet_sid: wallet.sid, amount: '20.00', reason: 'A hand', dry_run: true };
    expect((await story.call(grantGive, preview)).status).toBe(201);
    expect(await nudges()).toEqual([]);
    expect(await help(wallet)).toBe(201);
    expect(await nudges()).toHaveLength(1);
    await followMoney(story.house, wallet.sid);
    expect(await stands(wallet)).toMatchObject({ state: 'active', due: '0.00' });
    expect((await story.again(bought)).state).toBe('active');
  });

  it('without a plan is told that it is low and empty, and no clock runs', async () => {
    const wallet = await story.wallet(10n);
    await tick();
    await story.fund(wallet, -10n);
    await tick();
    await later(100 * DAY_MS);
    expect(await stands(wallet)).toMatchObject({ state: 'empty', next: null });
    expect(await told(wallet)).toEqual(['low_balance', 'empty']);
  });

  it('that an operator freezes is suspended at once, and restored by the thaw', async () => {
    const wallet = await story.wallet(30n);
    await story.buy(wallet);
    await tick();
    const freeze = (isFrozen: boolean) =>
      story.call(billingFreeze, { sid: wallet.sid, is_frozen: isFrozen, reason: 'x' });
    await freeze(true);
    await tick();
    expect(await stands(wallet)).toMatchObject({ state: 'suspended', reason: 'operator', due: null, next: null });
    await freeze(false);
    await watchDue(story.house);
    expect(await stands(wallet)).toMatchObject({ state: 'active', reason: null });
    expect(await told(wallet)).toEqual(['suspended', 'restored']);
  });
});

describe('operators', () => {
  it('give more time, once for each deadline, and list who stands how', async () => {
    const wallet = await story.wallet(10n);
    await story.buy(wallet);
    await tick();
    const extend = (until: Date) =>
      story.call(standingExtend, { sid: wallet.sid, until: until.toISOString(), reason: 'asked for it' });
    const inHours = (hours: number) => new Date(story.ports.clock.now().getTime() + hours * HOUR_MS);
    expect((await extend(inHours(100))).status).toBe(409);
    await later(30 * DAY_MS);
    expect((await extend(inHours(71))).status).toBe(400);
    expect((await extend(inHours(91 * 24))).status).toBe(400);
    const until = inHours(100);
    expect((await extend(until)).json).toMatchObject({ next: { at: until.toISOString() } });
    expect((await extend(until)).status).toBe(200);
    await later(99 * HOUR_MS);
    expect(await stands(wallet)).toMatchObject({ state: 'empty' });
    await later(HOUR_MS);
    const { json } = await story.call(standingList, { state: 'suspended', limit: 50 });
    expect((json['items'] as { wallet_sid: string }[]).map((item) => item.wallet_sid)).toContain(wallet.sid);
    expect((await told(wallet)).filter((type) => type === 'grace')).toHaveLength(2);
  });
});

describe('notices', () => {
  const mails = async ({ userSid }: WalletRow) => {
    const text = `select event.type, mail.due_at, mail.created_at from mail join event on event.sid = mail.event where mail.user_sid = $1 order by mail.sid`;
    return await story.database.owner.query<{ type: string; due_at: Date; created_at: Date }>(
      { name: 'test.mails', text },
      [userSid],
    );
  };

  it('wait for the end of quiet hours unless they are urgent; others may not set them', async () => {
    const wallet = await story.wallet(10n);
    const actor = ownerOf(wallet);
    await story.call(userUpdate, { sid: wallet.userSid, email: 'ada@example.org' }, actor);
    const ask = { sid: wallet.userSid, quiet_hours: { from: '00:00', until: '18:00', zone: 'Etc/UTC' } };
    expect((await story.call(noticeSet, ask, actor)).json).toMatchObject({ quiet_hours: ask.quiet_hours });
    expect((await story.call(noticeGet, { sid: wallet.userSid }, actor)).json).toMatchObject({
      quiet_hours: ask.quiet_hours,
    });
    const wrong = (quiet: object) => story.call(noticeSet, { sid: wallet.userSid, quiet_hours: quiet }, actor);
    expect((await wrong({ from: '00:00', until: '00:00', zone: 'Etc/UTC' })).status).toBe(400);
    expect((await wrong({ from: '00:00', until: '07:00', zone: 'Mars/Olympus' })).status).toBe(400);
    const stranger = ownerOf(await story.wallet(1n));
    expect((await story.call(noticeSet, ask, stranger)).status).toBe(404);

    await story.buy(wallet);
    const midnight = Math.ceil(story.ports.clock.now().getTime() / DAY_MS) * DAY_MS;
    await story.at(new Date(midnight + 6 * HOUR_MS));
    await tick();
    await story.at(new Date(midnight + 30 * DAY_MS + 6 * HOUR_MS));
    await tick();
    const [empty, grace] = (await mails(wallet)).filter(({ type }) => type.startsWith('wallet.'));
    expect(grace ?? empty).toMatchObject({
      type: 'wallet.grace',
      due_at: new Date(midnight + 30 * DAY_MS + 18 * HOUR_MS),
    });
    await later(72 * HOUR_MS);
    const last = (await mails(wallet)).at(-1);
    expect(last).toMatchObject({ type: 'wallet.suspended' });
    expect(last?.due_at).toEqual(last?.created_at);
    const off = { sid: wallet.userSid, quiet_hours: null };
    expect((await story.call(noticeSet, off, actor)).json).toMatchObject({ quiet_hours: null });
  });
});

describe('the runway of a wallet with a plan', () => {
  it('ends with the first period that cannot be paid', async () => {
    const wallet = await story.wallet(23n);
    await story.buy(wallet);
    const { json } = await story.call(usageRunway, { sid: wallet.sid }, ownerOf(wallet));
    expect(json).toMatchObject({ hours: 1_440, ends_by: 'plan', plan_per_hour: '0.013889', vms: [] });
  });
});
