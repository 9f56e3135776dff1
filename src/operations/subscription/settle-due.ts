import { assert } from '../../domain/assert.ts';
import { chargesMissed, nextPeriodOf, type NextPeriod } from '../../domain/plan/renew.ts';
import { remindsAt } from '../../domain/plan/subscription.ts';
import { moveExpiry } from '../../store/allocation-expiry.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import { readPlans } from '../../store/plan.ts';
import { insertPeriods } from '../../store/plan-period.ts';
import { readSubscription, saveSubscriptions, type SubscriptionRow } from '../../store/subscription.ts';
import { emitAll, type WalletEvent } from '../event/emit.ts';
import { apartRefusal } from '../clock/compare.ts';
import type { House } from '../house.ts';
import { Undone } from '../run.ts';
import { canPay, lockFunds } from './funds.ts';
import { planRevenue, renewalPosting } from './posting.ts';
import { endedEvent, pastDueEvent, renewedEvents } from './tell.ts';

/** What became of subscriptions whose period was over. */
export interface Settled {
  readonly renewed: number;
  readonly pastDue: number;
  readonly ended: number;
}

/** A subscription with the period that it is to pay. */
interface Due {
  readonly row: SubscriptionRow;
  readonly next: NextPeriod;
}

/**
 * Settles one period of each of these subscriptions, which the caller has locked and whose period is over: paid, or past due, or ended.
 *
 * Safe to: run again after a rollback; a period is paid once by the key of its posting, and by the key of its row.
 */
export async function settleDue(tx: Tx, house: House, rows: readonly SubscriptionRow[]): Promise<Settled> {
  if (rows.length === 0) return { renewed: 0, pastDue: 0, ended: 0 };
  const { ports, settings } = house;
  const now = ports.clock.now();
  const versions = await readPlans(tx);
  const due: Due[] = [];
  const ended: SubscriptionRow[] = [];
  for (const row of rows) {
    const isMissedCharged = chargesMissed(settings.planMissedPeriods, row);
    const next = nextPeriodOf(row, versions, { now, isMissedCharged });
    if (next.kind === 'renew') due.push({ row, next });
    else ended.push(asEnded(row));
  }
  const funds = await lockFunds(
    tx,
    due.map(({ row }) => row.wallet),
    now,
  );
  const paying = due.filter(({ row, next }) => canPay(funds, row.wallet, next.plan.price));
  const unpaid = due.filter(({ row, next }) => !canPay(funds, row.wallet, next.plan.price));
  await pay(tx, house, paying, now);
  const pastDue = unpaid.map((one) => asPastDue(one, now));
  await saveSubscriptions(tx, [...pastDue, ...ended]);
  const events: WalletEvent[] = [
    ...paying.flatMap(({ row, next }) => renewedEvents(row, next)),
    // Told once: what is past due already was told of when it became so.
    ...unpaid.flatMap(({ row, next }) => (row.state === 'active' ? [pastDueEvent(row, next, funds)] : [])),
    ...ended.map((row) => endedEvent(row)),
  ];
  await emitAll(tx, house, events);
  return { renewed: paying.length, pastDue: unpaid.length, ended: ended.length };
}

async function pay(tx: Tx, { ports }: House, paying: readonly Due[], now: Date): Promise<void> {
  const [first] = paying;
  if (first === undefined) return;
  const revenue = await planRevenue(tx, first.row.currency);
  const records = new Map(
    paying.flatMap(({ row, next }) =>
      next.plan.price === 0n ? [] : [[row.id, renewalPosting(row, next, revenue)] as const],
    ),
  );
  const stamp = { batch: ports.ids.batchId(), recordedAt: now };
  const outcomes = await applyPostings(tx, [...records.values()], stamp);
  assert(
    outcomes.every(({ kind }) => kind === 'applied'),
    'a renewal is posted once, from what was seen under the lock',
  );
  const periods = paying.map(({ row, next }) => ({
    subscription: row.id,
    number: next.number,
    part: 0,
    wallet: row.wallet,
    planSid: next.plan.sid,
    startsAt: next.startsAt,
    endsAt: next.endsAt,
    paid: next.plan.price,
    idem: records.get(row.id)?.idem ?? null,
  }));
  await insertPeriods(tx, periods, now);
  await saveSubscriptions(tx, paying.map(asRenewed));
  await moveExpiry(
    tx,
    paying.map(({ row, next }) => ({ subscription: row.id, endsAt: next.endsAt })),
  );
}

function asRenewed({ row, next }: Due): SubscriptionRow {
  const { plan } = next;
  const isSmaller = plan.vmCount < row.plan.vmCount || plan.vmSize !== row.plan.vmSize;
  return {
    ...row,
    state: 'active',
    planCode: plan.code,
    nextPlanCode: null,
    anchorAt: next.anchorAt,
    anchorNumber: next.anchorNumber,
    periodNumber: next.number,
    periodEndsAt: next.endsAt,
    pastDueSince: null,
    dueAmount: null,
    dueLookAt: null,
    remindsAt: remindsAt(next),
    hasExcess: row.hasExcess || (isSmaller && row.vmsUsed > 0),
  };
}

/** A period that is charged although it is over may be left out once its VMs stand still. */
const LOOK_AGAIN_MS = 3_600_000;

const asPastDue = ({ row, next }: Due, now: Date): SubscriptionRow => ({
  ...row,
  state: 'past_due',
  pastDueSince: row.pastDueSince ?? row.periodEndsAt,
  dueAmount: next.plan.price,
  dueLookAt: next.endsAt > now ? next.endsAt : new Date(now.getTime() + LOOK_AGAIN_MS),
  remindsAt: null,
});

const asEnded = (row: SubscriptionRow): SubscriptionRow => ({
  ...row,
  state: 'ended',
  endedAt: row.periodEndsAt,
  endReason: 'cancelled',
  remindsAt: null,
});

/**
 * Brings one subscription, which the caller has locked, up to the present: whoever changes it sees it as if it had been renewed in time, so
 * that it makes no difference who comes first.
 *
 * Throws `Undone`, with unavailable, where it seems to be due and this process's clock is not right.
 */
export async function catchUp(tx: Tx, house: House, row: SubscriptionRow): Promise<SubscriptionRow> {
  let present = row;
  while (present.state !== 'ended' && present.periodEndsAt <= house.ports.clock.now()) {
    const apart = apartRefusal(house);
    if (apart) throw new Undone(apart);
    const { renewed } = await settleDue(tx, house, [present]);
    const read = await readSubscription(tx, row.sid);
    assert(read !== null, 'a subscription is never deleted');
    present = read;
    if (renewed === 0) break;
  }
  return present;
}
