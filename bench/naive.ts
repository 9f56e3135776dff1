import type { Pool } from 'pg';
import { POSTING_KINDS, type PostingRecord } from '../src/domain/ledger/posting.ts';

/**
 * What most programs do: a transaction for each record, the row locked, checked in the program, and written.
 *
 * It does less than the engine: no look-up of the key (the unique index throws instead of answering), no leg of the system account.
 */
export async function postOne(pool: Pool, record: PostingRecord): Promise<void> {
  const [leg] = record.legs;
  if (leg === undefined) throw new Error('a record has a leg');
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ balance: string; seq: string }>(
      'select balance, seq from account where id = $1 for update',
      [leg.account],
    );
    const balance = BigInt(rows[0]?.balance ?? 0) + leg.amount;
    const seq = BigInt(rows[0]?.seq ?? 0) + 1n;
    if (balance < 0n) throw new Error('insufficient balance');
    await client.query(
      `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
       values ($1, $2, $3, $4, $5, 2, $6, $7, $8, now(), $9, $10)`,
      [
        leg.account,
        seq,
        record.legs[1]?.account,
        leg.amount,
        balance,
        record.idem,
        record.fingerprint,
        record.occurredAt,
        POSTING_KINDS[record.kind],
        record.about,
      ],
    );
    await client.query('update account set balance = $2, seq = $3 where id = $1', [leg.account, balance, seq]);
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}
