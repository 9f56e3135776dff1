import { liveAccount, type AccountId, type PostingRecord } from '../../domain/ledger/posting.ts';
import type { Micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { lockAhead } from '../../store/ledger.ts';
import { readUsageLines, type LineKey, type UsageLineRow } from '../../store/usage-line.ts';
import type { UsageAbout } from './usage-about.ts';

/** A charge of usage, and how it stands. */
export interface UsageLine {
  readonly account: AccountId;
  readonly seq: bigint;
  readonly walletSid: string;
  readonly idem: string;
  readonly occurredAt: Date;
  /** As it was charged. */
  readonly about: UsageAbout;
  /** As it stands after its corrections; null: it was taken back, for good. */
  readonly now: UsageAbout | null;
  /** The line that corrected it last; null: none. */
  readonly lastSeq: bigint | null;
  /** What it has moved, corrections included: minus what was charged. */
  readonly moved: Micros;
}

export function toUsageLine(row: UsageLineRow): UsageLine {
  const about = JSON.parse(row.about) as UsageAbout;
  const last = row.corrected === null ? null : (JSON.parse(row.corrected.about) as UsageAbout);
  return {
    account: row.account,
    seq: row.seq,
    walletSid: row.walletSid,
    idem: row.idem,
    occurredAt: row.occurredAt,
    about,
    now: last === null ? about : (last.now ?? null),
    lastSeq: row.corrected?.seq ?? null,
    moved: (row.amount + row.moved) as Micros,
  };
}

/**
 * The lines as they stand, with their wallets locked: nobody corrects them until the transaction ends.
 *
 * Shape: by account and seq; a key that names no charge of usage has none.
 */
export async function lockUsageLines(
  tx: Tx,
  keys: readonly LineKey[],
  /** The records that counted lines would be taken back with: their counters are locked first. */
  counted: readonly Pick<PostingRecord, 'volume'>[],
): Promise<UsageLine[]> {
  await lockAhead(
    tx,
    keys.map(({ account }) => account),
    { counted },
  );
  return (await readUsageLines(tx, keys)).map(toUsageLine);
}

export const lineOf = (wallet: bigint, seq: number): LineKey => ({
  account: liveAccount(wallet, 'wallet'),
  seq: BigInt(seq),
});
