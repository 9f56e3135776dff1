import { assert } from '../domain/assert.ts';
import { isLive, POSTING_KINDS, type Outcome, type PostingRecord } from '../domain/ledger/posting.ts';
import { statement, type Tx } from './db.ts';
import type { BatchStamp } from './ledger.ts';
import { int2Array, int8Array, textArray, timestampArray, uuidArray } from './pg-binary.ts';

/** Whether a posting touches no wallet: a provider's fee, a payout, money set aside. It has no entry; its legs have a batch. */
export const isHousePosting = ({ legs }: PostingRecord): boolean => !legs.some(({ account }) => isLive(account));

const insertStatement = statement(
  'house_posting.insert',
  `insert into house_posting (idem, fingerprint, kind, batch, occurred_at, recorded_at, about)
   select idem, fingerprint, kind, $5::int8, occurred_at, $6::timestamptz, about
   from unnest($1::uuid[], $2::uuid[], $3::int2[], $4::timestamptz[], $7::text[]) as t (idem, fingerprint, kind, occurred_at, about)
   on conflict (idem) do nothing
   returning idem`,
);
const readStatement = statement(
  'house_posting.read',
  `select idem, fingerprint from house_posting where idem = any($1::uuid[])`,
);
const legsStatement = statement(
  'house_posting.legs',
  `insert into batch_leg (batch, account, amount, recorded_at)
   select $1::int8, account, amount, $2::timestamptz from unnest($3::int8[], $4::int8[]) as t (account, amount)`,
);

/**
 * The part of `applyPostings` for postings on system accounts alone. They keep no running row, so there is nothing to lock: the key
 * decides who was first.
 *
 * Shape: one outcome for each record, without entries. Keys are different from one another.
 */
export async function applyHousePostings(
  tx: Tx,
  records: readonly PostingRecord[],
  { batch, recordedAt }: BatchStamp,
): Promise<Outcome[]> {
  for (const record of records) assertHousePosting(record);
  const idems = records.map(({ idem }) => idem);
  assert(new Set(idems).size === records.length, 'a batch of the house names each key once');
  const inserted = await tx.query<{ idem: string }>(insertStatement, [
    uuidArray(idems),
    uuidArray(records.map(({ fingerprint }) => fingerprint)),
    int2Array(records.map(({ kind }) => POSTING_KINDS[kind])),
    timestampArray(records.map(({ occurredAt }) => occurredAt)),
    batch,
    recordedAt,
    textArray(records.map(({ about }) => about)),
  ]);
  const isNew = new Set(inserted.map(({ idem }) => idem));
  await writeLegs(
    tx,
    records.filter(({ idem }) => isNew.has(idem)),
    { batch, recordedAt },
  );
  const known = await readFingerprints(
    tx,
    idems.filter((idem) => !isNew.has(idem)),
  );
  return records.map(({ idem, fingerprint }): Outcome => {
    const applied = { kind: 'applied', entries: [] } as const;
    if (isNew.has(idem)) return applied;
    return known.get(idem) === fingerprint ? { kind: 'duplicate', first: applied } : { kind: 'key_reused' };
  });
}

async function writeLegs(tx: Tx, records: readonly PostingRecord[], { batch, recordedAt }: BatchStamp): Promise<void> {
  const sums = new Map<bigint, bigint>();
  for (const { legs } of records) {
    for (const { account, amount } of legs) sums.set(account, (sums.get(account) ?? 0n) + amount);
  }
  const moved = [...sums].filter(([, amount]) => amount !== 0n);
  if (moved.length === 0) return;
  const accounts = int8Array(moved.map(([account]) => account));
  await tx.query(legsStatement, [batch, recordedAt, accounts, int8Array(moved.map(([, amount]) => amount))]);
}

async function readFingerprints(tx: Tx, idems: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (idems.length === 0) return new Map();
  const rows = await tx.query<{ idem: string; fingerprint: string }>(readStatement, [uuidArray(idems)]);
  return new Map(rows.map(({ idem, fingerprint }) => [idem, fingerprint]));
}

function assertHousePosting(record: PostingRecord): void {
  const sum = record.legs.reduce((total, { amount }) => total + amount, 0n);
  assert(sum === 0n, `a posting sums to zero, this one to ${sum}`);
  assert(isHousePosting(record) && record.legs.length >= 2, 'a posting of the house moves between system accounts');
  assert(record.idem.endsWith('0'), 'the last digit of idem is the number of the leg');
  assert(!record.fraction && !record.budget && !record.volume, 'a posting of the house is a plain one');
}
