import { assert } from '../../domain/assert.ts';
import { ladderFor, type Ladder } from '../../domain/discount/ladder.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { insertCorrection } from '../../store/correction.ts';
import type { Tx } from '../../store/db.ts';
import { listLadders, provedStreaks, writeStreaks } from '../../store/ladder.ts';
import { lockAhead } from '../../store/ledger.ts';
import { listPricesFor } from '../../store/price.ts';
import { countFresh, firstOpen, misratedLines, walletsToRate, writeRating } from '../../store/usage-rating.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import { toFilter } from '../correction/correction.ts';
import type { House } from '../house.ts';
import { correctLines } from '../usage/correct-lines.ts';
import { rerated } from '../usage/price-again.ts';

const WALLETS_PER_STEP = 500;
/** Lines that are corrected in one commit. */
const STEP_LINES = 200;
const DAY_MS = 86_400_000;
const REASON = 'A run of continuous use began at another time than was known when this was charged.';

/** What a look at wallets has come to. */
export interface Recomputed {
  readonly wallets: number;
  /** Runs of use that were kept otherwise. */
  readonly mended: number;
  /** Lines that stood on a wrong rung. */
  readonly rerated: number;
  /** What their wallets were given; negative: what they paid. */
  readonly moved: bigint;
}

/**
 * Proves the runs of use of wallets with new entries from the ledger, and corrects their lines of past days that stand on a wrong rung.
 *
 * So what a day that is over comes to does not depend on the order in which its records arrived.
 * Safe to: run twice, concurrently, after a crash: each step has its wallet locked, and notes how far it has looked in the same transaction.
 */
export async function recomputeLadders(house: House): Promise<Recomputed> {
  const { db, ports } = house;
  const now = ports.clock.now();
  const ladders = await listLadders(db, null);
  const categories = [...new Set(ladders.map(({ category }) => category))];
  const present = categories
    .map((category) => ladderFor(ladders, category, now))
    .filter((ladder): ladder is Ladder => ladder !== null);
  let all: Recomputed = { wallets: 0, mended: 0, rerated: 0, moved: 0n };
  let after = 0n;
  for (;;) {
    const page = await walletsToRate(db, after, WALLETS_PER_STEP);
    for (const wallet of page) all = await rateWallet(house, wallet, { present, categories, now }, all);
    after = page.at(-1)?.wallet ?? after;
    if (page.length < WALLETS_PER_STEP) break;
  }
  const { mended, rerated: lines } = all;
  if (mended > 0 || lines > 0) {
    const facts = { wallets: all.wallets, mended, rerated: lines, moved: formatDecimal(all.moved) };
    ports.log.info(facts, 'runs of use were proved from the ledger');
  }
  return all;
}

interface Wallet {
  readonly wallet: bigint;
  readonly walletSid: string;
}

interface Knowledge {
  /** The ladders that count now. */
  readonly present: readonly Ladder[];
  /** All that have a ladder. */
  readonly categories: readonly string[];
  readonly now: Date;
}

async function rateWallet(house: House, wallet: Wallet, known: Knowledge, before: Recomputed): Promise<Recomputed> {
  let all = { ...before, wallets: before.wallets + 1 };
  let from: RatedFrom = { after: 0n, begunAt: null };
  for (;;) {
    const step = await house.db.transaction('ladder.rate', (tx) => rateStep(house, tx, wallet, known, from));
    all = {
      ...all,
      mended: all.mended + step.mended,
      rerated: all.rerated + step.lines,
      moved: all.moved + step.moved,
    };
    if (step.next === null) return all;
    from = step.next;
  }
}

/** Where a step goes on. */
interface RatedFrom {
  /** The last line that was looked at. */
  readonly after: bigint;
  /** The wallet's last entry when the first step looked: what came since may have moved lines that were looked at. Null: this is the first. */
  readonly begunAt: bigint | null;
}

interface RatedStep {
  readonly mended: number;
  readonly lines: number;
  readonly moved: bigint;
  /** Null: it was the last. */
  readonly next: RatedFrom | null;
}

async function rateStep(
  house: House,
  tx: Tx,
  wallet: Wallet,
  { present, categories, now }: Knowledge,
  { after, begunAt }: RatedFrom,
): Promise<RatedStep> {
  const account = liveAccount(wallet.wallet, 'wallet');
  const locked = (await lockAhead(tx, [account])).get(account);
  assert(locked !== undefined, 'a wallet has an account');
  const openFrom = new Date(now.getTime() - (now.getTime() % DAY_MS));
  if ((await countFresh(tx, wallet.wallet)) === 0n) {
    await writeRating(tx, wallet.wallet, locked.seq);
    return { mended: 0, lines: 0, moved: 0n, next: null };
  }
  const streaks = await provedStreaks(tx, wallet.wallet, present);
  await writeStreaks(tx, streaks);
  const found = await misratedLines(tx, wallet.wallet, { openFrom, after, limit: STEP_LINES });
  const { lines, moved } = await rerate(house, tx, wallet, found, categories);
  const last = found.at(-1);
  if (last !== undefined && found.length === STEP_LINES)
    return { mended: streaks.length, lines, moved, next: { after: last.seq, begunAt: begunAt ?? locked.seq } };
  // What was posted here just now is not looked at again; a day that is not over is.
  const seen = begunAt ?? locked.seq + BigInt(lines);
  const openSeq = await firstOpen(tx, wallet.wallet, openFrom);
  await writeRating(tx, wallet.wallet, openSeq === null || openSeq > seen ? seen : openSeq - 1n);
  return { mended: streaks.length, lines, moved, next: null };
}

async function rerate(
  house: House,
  tx: Tx,
  { wallet, walletSid }: Wallet,
  found: readonly { readonly seq: bigint; readonly startedAt: Date }[],
  categories: readonly string[],
): Promise<{ readonly lines: number; readonly moved: bigint }> {
  if (found.length === 0) return { lines: 0, moved: 0n };
  const { ids, clock } = house.ports;
  // Read after the lines: one may have a price, or a version of its ladder, that is newer than this tick.
  const book = { ladders: await listLadders(tx, categories), prices: await listPricesFor(tx, categories) };
  const [sid, now, account] = [ids.sid(), clock.now(), liveAccount(wallet, 'wallet')];
  const startOf = new Map(found.map(({ seq, startedAt }) => [seq, startedAt]));
  const author = ownAuthor(house, 'ladder');
  const correcting = { actorId: author.actor.id, reason: REASON, correction: sid, why: 'rerate' } as const;
  const keys = found.map(({ seq }) => ({ account, seq }));
  const corrected = await correctLines(house, tx, keys, correcting, (line) => {
    const startedAt = startOf.get(line.seq);
    assert(startedAt !== undefined, 'each line was found with its run');
    return rerated(line, startedAt, book);
  });
  const made = corrected.flatMap((one) => (one.kind === 'changed' ? one.made : []));
  if (made.length === 0) return { lines: 0, moved: 0n };
  const moved = made.reduce((sum, { amount }) => sum + amount, 0n);
  const [looked, changed] = [BigInt(found.length), BigInt(made.length)];
  await insertCorrection(tx, {
    sid,
    kind: 'rerate',
    state: 'done',
    reason: REASON,
    filter: toFilter({ wallet_sid: walletSid }, now),
    createdAt: now,
    createdBy: author.actor.id,
    endedAt: now,
    cursor: keys.at(-1) ?? { account, seq: 0n },
    total: looked,
    done: looked,
    changed,
    skipped: BigInt(corrected.filter(({ kind }) => kind === 'skipped').length),
    moved: micros(moved),
  });
  const after = { lines_changed: made.length, moved: formatDecimal(moved) };
  await recordAudit(tx, author, { action: 'correction.rerate', subject: walletSid, reason: REASON, after });
  return { lines: made.length, moved };
}
