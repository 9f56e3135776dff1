import { ABOUT } from './records.ts';
import { inSession, REVENUE, WALLETS, type BenchServer } from './server.ts';

export const FULL_LEDGER = 'bench_full';
/** Entries of one made-up batch. */
const BATCH = 1_000;

/**
 * A database with many debits behind it: made inside the server, in an order and with keys like the engine's, so that every
 * invariant of the ledger holds. Indexes are built afterwards, then everything is written out, as after a night's rest.
 * Answers the number of entries: at least what was asked for, the same for each wallet.
 */
export async function buildFullLedger(server: BenchServer, entriesWanted: number): Promise<number> {
  const perWallet = Math.max(1, Math.round(entriesWanted / WALLETS));
  const url = await server.freshDatabase(FULL_LEDGER);
  return await inSession(url, server.ports, async (session) => {
    await session.query(`set maintenance_work_mem = '1GB'`);
    await session.query('alter table entry drop constraint entry__pk, drop constraint entry__one_per_leg');
    // Round by round over all wallets: entries of one wallet lie as far from one another as if they had come in over months.
    await session.query(
      `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
       select account.id, account.seq + round, ${REVENUE}, -1, account.balance - round,
              2 + ((round - 1) * ${WALLETS} + account.id / 16 - 1) / ${BATCH},
              (left(md5('full' || round || '/' || account.id), 31) || '0')::uuid, md5(account.id || '/' || round)::uuid,
              now(), now(), 3, $1
       from generate_series(1, $2::bigint) as round, account where account.id % 16 = 0 and account.seq = 1`,
      [ABOUT, perWallet],
    );
    await session.query(
      `insert into batch_leg (batch, account, amount, recorded_at)
       select batch, ${REVENUE}, -sum(amount), now() from entry where batch > 1 group by batch`,
    );
    await session.query(
      'update account set balance = balance - $1::bigint, seq = seq + $1::bigint where id % 16 = 0 and seq = 1',
      [perWallet],
    );
    await session.query(
      `alter table entry add constraint entry__pk primary key (account, seq), add constraint entry__one_per_leg unique (idem)`,
    );
    await session.query('vacuum analyze');
    await session.query('checkpoint');
    const rows = await session.query('select count(*) as count from entry');
    return Number(rows[0]?.['count']);
  });
}
