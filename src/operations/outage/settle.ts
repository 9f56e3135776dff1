import { assert } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount, type AccountId, type PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import type { Span } from '../../domain/outage/outage.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings, lockAhead } from '../../store/ledger.ts';
import {
  insertOutageCredit,
  listDownVms,
  lockOutage,
  readOutage,
  settlingOutages,
  updateOutage,
  type OutageRow,
} from '../../store/outage.ts';
import { readPaidForTime } from '../../store/outage-paid.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import { emit } from '../event/emit.ts';
import { returnGiven } from '../grant/return-given.ts';
import type { House } from '../house.ts';
import { planRevenue } from '../subscription/posting.ts';
import { lookAgain, readyToEnd } from './end-open.ts';
import { sharesOf, type VmShare } from './shares.ts';

/** VMs of one commit: their wallets are locked meanwhile. */
const STEP_VMS = 100;
/** Outages that one tick takes up; there is seldom more than one. */
const RESUMED_MAX = 20;

/**
 * Gives back, for each VM that was down, its share of the plan's price, step by step, until all have been looked at; of a node, takes back what
 * was on its way when its outage was told.
 *
 * Safe to: run again after a crash at any moment, and in several processes at once: each step takes the outage's lock, and writes its
 * postings and how far it has come in one transaction.
 */
export async function settleOutage(house: House, sid: string): Promise<void> {
  const seen = await readOutage(house.db, sid);
  if (seen?.state === 'settling') await readyToEnd(house, seen.subject);
  while (await house.db.transaction('outage.settle', (tx) => settleStep(house, tx, sid)));
}

/** Takes up outages whose process has died. */
export async function resumeOutages(house: House): Promise<void> {
  for (const sid of await settlingOutages(house.db, RESUMED_MAX)) await settleOutage(house, sid);
}

/** The time of an outage that is over. */
export function spanOf({ fromAt, untilAt }: OutageRow): Span {
  assert(untilAt !== null, 'an outage that is settled is over');
  return { from: fromAt, until: untilAt };
}

async function settleStep(house: House, tx: Tx, sid: string): Promise<boolean> {
  const row = await lockOutage(tx, sid);
  if (row?.state !== 'settling') return false;
  if (row.subject === 'node') return await settleNode(house, tx, row);
  const span = spanOf(row);
  const vms = await listDownVms(tx, { ...row, ...span }, { after: row.cursor, limit: STEP_VMS });
  await lockAhead(
    tx,
    vms.map(({ wallet }) => liveAccount(wallet, 'wallet')),
  );
  const shares = (await sharesOf(tx, vms, span)).filter(({ amount }) => amount > 0n);
  await giveBack(house, tx, row, shares);
  const isAtEnd = vms.length < STEP_VMS;
  const after: OutageRow = {
    ...row,
    state: isAtEnd ? 'done' : 'settling',
    cursor: vms.at(-1)?.id ?? row.cursor,
    vms: row.vms + shares.length,
    returned: micros(shares.reduce((sum, { amount }) => sum + amount, row.returned as bigint)),
  };
  await updateOutage(tx, after);
  if (isAtEnd) await recordEnd(house, tx, after, { vms: after.vms, returned: formatDecimal(after.returned) });
  return !isAtEnd;
}

/** Nothing more than one look; as long as it is too early for that the tick comes again. */
async function settleNode(house: House, tx: Tx, row: OutageRow): Promise<false> {
  const after = await lookAgain(tx, house, { ...row, ...spanOf(row) });
  if (after === null) return false;
  await updateOutage(tx, after);
  await recordEnd(house, tx, after, { correction_sid: after.correction });
  return false;
}

async function recordEnd(
  house: House,
  tx: Tx,
  { sid, state }: OutageRow,
  facts: Readonly<Record<string, number | string | null>>,
): Promise<void> {
  const after = { state, ...facts };
  await recordAudit(tx, ownAuthor(house, 'outages'), { action: 'outage.settle', subject: sid, after });
}

async function giveBack(house: House, tx: Tx, row: OutageRow, shares: readonly VmShare[]): Promise<void> {
  if (shares.length === 0) return;
  const now = house.ports.clock.now();
  const revenues = new Map<string, AccountId>();
  for (const { vm } of shares)
    if (!revenues.has(vm.currency)) revenues.set(vm.currency, await planRevenue(tx, vm.currency));
  const records = shares.map((share) => creditPosting(row, share, revenues.get(share.vm.currency)));
  const outcomes = await applyPostings(tx, records, { batch: house.ports.ids.batchId(), recordedAt: now });
  for (const [index, { vm, amount, spans, downMs }] of shares.entries()) {
    const record = records[index];
    assert(record !== undefined && outcomes[index]?.kind === 'applied', 'a credit passes, and its VM is met once');
    await insertOutageCredit(
      tx,
      row.sid,
      { allocation: vm.id, wallet: vm.wallet, idem: record.idem, amount, spans },
      now,
    );
    const { idems, cost } = await readPaidForTime(tx, vm.subscription, vm);
    const { idem } = record;
    const description = `Not delivered: ${vm.name}`;
    await returnGiven(tx, house, [
      { wallet: vm.wallet, idem, paidBy: idems, cost, occurredAt: record.occurredAt, description },
    ]);
    await emit(tx, house, {
      type: 'outage.credited',
      of: vm,
      facts: {
        outage_sid: row.sid,
        allocation_sid: vm.sid,
        name: vm.name,
        amount: formatDecimal(amount),
        down_seconds: Math.round(downMs / 1_000),
        from: vm.from.toISOString(),
        until: vm.until.toISOString(),
        reason: row.reason,
      },
    });
  }
}

function creditPosting(row: OutageRow, { vm, amount, downMs }: VmShare, revenue: AccountId | undefined): PostingRecord {
  assert(revenue !== undefined, 'the account of its currency was opened before');
  const key = [row.sid, vm.sid];
  return {
    idem: deriveIdem('outage.credit', ...key),
    fingerprint: fingerprintOf(key),
    kind: 'plan_return',
    legs: [
      { account: liveAccount(vm.wallet, 'wallet'), amount },
      { account: revenue, amount: micros(-amount) },
    ],
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: spanOf(row).until,
    about: JSON.stringify({
      description: `Not delivered: ${vm.name}`,
      outage_sid: row.sid,
      allocation_sid: vm.sid,
      from: vm.from.toISOString(),
      until: vm.until.toISOString(),
      down_seconds: Math.round(downMs / 1_000),
      reason: row.reason,
    }),
  };
}
