import { assert } from '../../domain/assert.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { micros } from '../../domain/money.ts';
import type { OutageSubject, Span } from '../../domain/outage/outage.ts';
import { insertCorrection, readCorrection } from '../../store/correction.ts';
import type { Tx } from '../../store/db.ts';
import { lockAhead } from '../../store/ledger.ts';
import { listUnbilledOf, updateOutage, type OutageRow } from '../../store/outage.ts';
import { closeUnbilled } from '../../store/unbilled.ts';
import { countUsageLines, type LineFilter } from '../../store/usage-line.ts';
import { ownAuthor, recordAudit, type Author } from '../audit/record.ts';
import { toFilter } from '../correction/correction.ts';
import type { House } from '../house.ts';
import { foldAll } from '../usage/fold-all.ts';

/**
 * What was being charged when the outage was told, perhaps by a server whose clock is ahead of ours, is taken back as well: a request ends much
 * sooner, and clocks that agree are closer.
 */
const ON_ITS_WAY_MS = 5 * 60_000;

/**
 * Ends an outage that goes on and is locked: of a node, what was charged for the time is taken back by a correction and what waits to be
 * billed is written off, and once more what was on its way meanwhile; of VMs, their shares are given back. All by jobs after the commit.
 *
 * Days must be folded before: see {@link readyToEnd}. Shape: the row as it is now.
 */
export async function endOpen(tx: Tx, house: House, author: Author, row: OutageRow, until: Date): Promise<OutageRow> {
  const span = { from: row.fromAt, until };
  const isNode = row.subject === 'node';
  const correction = isNode ? await takeBackUsage(tx, house, author, { ...row, ...span }) : null;
  const ended: OutageRow = { ...row, state: 'settling', untilAt: until, correction };
  await updateOutage(tx, ended);
  if (!isNode) await house.jobs.enqueue(tx, 'outage.settle', { sid: row.sid });
  return ended;
}

/** Before the transaction that ends an outage of a node: lines are found by the days they are folded into. */
export async function readyToEnd(house: House, subject: OutageSubject): Promise<void> {
  if (subject === 'node') await foldAll(house);
}

export const usageOf = (nodeSid: string, { from, until }: Span, now: Date): LineFilter =>
  toFilter({ node_sid: nodeSid, occurred_from: from.toISOString(), occurred_until: until.toISOString() }, now);

/**
 * Takes back what was on its way when a node's outage was told, once all of it has come. The outage is settling and locked, and days are folded.
 *
 * Shape: the row as it is now; null as long as it is too early.
 */
export async function lookAgain(tx: Tx, house: House, row: OutageRow & Span): Promise<OutageRow | null> {
  const now = house.ports.clock.now();
  const first = row.correction === null ? null : await readCorrection(tx, row.correction);
  assert(first !== null, 'the end of an outage of a node has a correction');
  if (first.state === 'running' || now.getTime() < first.createdAt.getTime() + ON_ITS_WAY_MS) return null;
  const span = { from: row.from, until: row.until };
  const isAllBack =
    (await countUsageLines(tx, usageOf(row.subjectRef, span, now))) === 0n &&
    (await listUnbilledOf(tx, row.subjectRef, span)).length === 0;
  // Somebody has seen to it that lines stay as they were charged.
  if (isAllBack || first.state === 'cancelled') return { ...row, state: 'done' };
  const correction = await takeBackUsage(tx, house, ownAuthor(house, 'outages'), row);
  return { ...row, state: 'done', correction };
}

async function takeBackUsage(
  tx: Tx,
  house: House,
  author: Author,
  { sid, subjectRef, reason, from, until }: OutageRow & Span,
): Promise<string> {
  const { ports, jobs } = house;
  const waiting = await listUnbilledOf(tx, subjectRef, { from, until });
  // Whoever bills or replaces one holds these locks; what is still open is known under them.
  await lockAhead(
    tx,
    waiting.map(({ wallet }) => liveAccount(wallet, 'wallet')),
  );
  const known = new Set(waiting.map(({ idem }) => idem));
  const now = ports.clock.now();
  const open = (await listUnbilledOf(tx, subjectRef, { from, until })).filter(({ idem }) => known.has(idem));
  const closing = { at: now, actor: author.actor.id, reason: `Outage ${sid}: ${reason}` };
  await closeUnbilled(
    tx,
    open.map(({ idem }) => ({ idem, outcome: 'written_off', byIdem: null })),
    closing,
  );
  const filter = usageOf(subjectRef, { from, until }, new Date(now.getTime() + ON_ITS_WAY_MS));
  const correction = ports.ids.sid();
  await insertCorrection(tx, {
    sid: correction,
    kind: 'void',
    state: 'running',
    reason: `Outage: ${reason}`.slice(0, 255),
    filter,
    createdAt: now,
    createdBy: author.actor.id,
    endedAt: null,
    cursor: { account: 0n, seq: 0n },
    total: await countUsageLines(tx, filter),
    done: 0n,
    changed: 0n,
    skipped: 0n,
    moved: micros(0n),
  });
  const after = { kind: 'void', outage_sid: sid, written_off: open.length };
  await recordAudit(tx, author, { action: 'correction.create', subject: correction, reason, after });
  await jobs.enqueue(tx, 'correction.run', { sid: correction });
  return correction;
}
