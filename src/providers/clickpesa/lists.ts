import { ZERO, micros } from '../../domain/money.ts';
import { ProviderFailure, type ProviderAccount, type ProviderMovement, type ProviderOrder } from '../provider.ts';
import type { ClickPesaApi, Row, RowPage } from './client.ts';
import { hasMoney, returnRefOf, toProviderOrder, usdOf } from './map.ts';
import { readReference, referenceOf, type Reference } from './reference.ts';
import { stateOfPayout, usdOfPayout } from './refund.ts';
import { checked, paymentShape, payoutShape, type PaymentRecord, type PayoutRecord } from './shapes.ts';

const PAGE_SIZE = 100;
/** 100,000 rows: more than change while news are lost, and an end to the walk. */
const WALK_PAGES_MAX = 1_000;

/**
 * Every row that changed at or after an instant, in no order. A payment that is taken back weeks later is among them: the walk goes by
 * the time of the last change, from the newest down. A row that changes meanwhile moves up and may come twice; the later one counts.
 */
async function changedSince(
  list: (query: Readonly<Record<string, string>>) => Promise<RowPage>,
  since: Date,
): Promise<Row[]> {
  const rows = new Map<unknown, Row>();
  let skip = 0;
  for (let page = 0; page < WALK_PAGES_MAX; page += 1) {
    const query = { sortBy: 'updatedAt', orderBy: 'DESC', skip: String(skip), limit: String(PAGE_SIZE) };
    const { rows: found, totalCount } = await list(query);
    const fresh = found.filter((row) => changedAt(row) >= since.getTime());
    for (const row of fresh) if (!rows.has(row['id'])) rows.set(row['id'], row);
    skip += found.length;
    if (fresh.length < found.length || found.length === 0 || skip >= totalCount) return [...rows.values()];
  }
  throw new ProviderFailure('broken', 'none', "ClickPesa's list does not end.");
}

function changedAt(row: Row): number {
  const at = typeof row['updatedAt'] === 'string' ? Date.parse(row['updatedAt']) : Number.NaN;
  if (Number.isNaN(at)) throw new ProviderFailure('broken', 'none', "A row of ClickPesa's list has no time.");
  return at;
}

const ours = (row: Row, names: Reference['names']): boolean => readReference(row.orderReference)?.names === names;

/** All of them in one page, oldest first. Rows of other programs on the account are passed over, whatever their shape. */
export async function listOrders(api: ClickPesaApi, account: ProviderAccount, since: Date): Promise<ProviderOrder[]> {
  const rows = await changedSince((query) => api.listPayments(query), since);
  const records = rows.filter((row) => ours(row, 'payment')).map((row) => checked(paymentShape, row, 'none'));
  const byPayment = Map.groupBy(records, ({ orderReference }) => readReference(orderReference)?.sid ?? '');
  return [...byPayment.entries()]
    .map(([sid, tries]) => {
      const attempt = Math.max(...tries.map((record) => readReference(record.orderReference)?.attempt ?? 0));
      const orderRef = referenceOf({ names: 'payment', sid, attempt });
      return { order: toProviderOrder(orderRef, tries, account), at: firstOf(tries) };
    })
    .toSorted((one, other) => one.at - other.at)
    .map(({ order }) => order);
}

const firstOf = (tries: readonly PaymentRecord[]): number =>
  Math.min(...tries.map(({ createdAt }) => createdAt.getTime()));

/**
 * What changed the balance, made of the lists of payments and payouts. ClickPesa's own statement is not used: its lines carry no id
 * that is documented, and a line that cannot be told from another cannot be reconciled.
 */
export async function listMovements(api: ClickPesaApi, since: Date): Promise<ProviderMovement[]> {
  const payments = await changedSince((query) => api.listPayments(query), since);
  const payouts = await changedSince((query) => api.listPayouts(query), since);
  return [
    ...payments.flatMap((row) => movementsOfPayment(checked(paymentShape, row, 'none'))),
    ...payouts.flatMap((row) => movementsOfPayout(checked(payoutShape, row, 'none'))),
  ]
    .filter(({ at }) => at >= since)
    .toSorted((one, other) => one.at.getTime() - other.at.getTime());
}

function movementsOfPayment(record: PaymentRecord): ProviderMovement[] {
  const amount = usdOf(record) ?? record.collectedAmount;
  if (!hasMoney(record) || amount === null) return [];
  const came: ProviderMovement = {
    ...NOWHERE,
    movementRef: record.id,
    kind: 'payment',
    amount,
    currency: usdOf(record) === null ? (record.collectedCurrency ?? 'USD') : 'USD',
    at: record.createdAt,
    orderRef: record.orderReference,
    paymentRef: record.id,
    detail: record.orderReference,
  };
  if (record.status !== 'REFUNDED' && record.status !== 'REVERSED') return [came];
  const went = { movementRef: returnRefOf(record), refundRef: returnRefOf(record), at: record.updatedAt } as const;
  return [came, { ...came, ...went, kind: 'refund', amount: micros(-amount) }];
}

function movementsOfPayout(record: PayoutRecord): ProviderMovement[] {
  const amount = usdOfPayout(record) ?? record.amount;
  const currency = usdOfPayout(record) === null ? record.currency : 'USD';
  const isRefund = readReference(record.orderReference)?.names === 'refund';
  const left: ProviderMovement = {
    ...NOWHERE,
    movementRef: record.id,
    kind: isRefund ? 'refund' : 'payout',
    amount: micros(-amount),
    fee: record.currency === currency ? (record.fee ?? ZERO) : ZERO,
    currency,
    at: record.createdAt,
    refundRef: isRefund ? record.id : null,
    detail: record.orderReference,
  };
  if (stateOfPayout(record) !== 'failed') return [left];
  const back = { movementRef: `${record.id}-RETURNED`, at: record.updatedAt, fee: ZERO, amount } as const;
  return [left, { ...left, ...back, kind: isRefund ? 'refund_returned' : 'other' }];
}

const NOWHERE = { fee: ZERO, orderRef: null, paymentRef: null, refundRef: null, disputeRef: null } as const;
