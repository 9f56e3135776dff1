import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Ports } from '../src/ports/ports.ts';
import { ABOUT } from './records.ts';
import { inSession, REVENUE, WALLETS } from './server.ts';
import { Latencies } from './spread.ts';

const CLIENTS = 32;
const DEBIAN_FOLDER = '/usr/lib/postgresql';
/** For start, connecting and writing the log. */
const GRACE_MS = 30_000;

/** The newest pgbench of the machine; null when there is none (Debian: package postgresql-15 or its successor). */
export function findPgbench(): string | null {
  if (!existsSync(DEBIAN_FOLDER)) return null;
  const found = readdirSync(DEBIAN_FOLDER)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => path.join(DEBIAN_FOLDER, version, 'bin', 'pgbench'))
    .find((file) => existsSync(file));
  return found ?? null;
}

/**
 * The fastest that one record a transaction can be: a single call, prepared, no program between.
 * It does less than the engine, like the naive loop: no look-up of the key, no leg of the system account.
 */
export async function addTransferFunction(url: string, ports: Ports): Promise<void> {
  await inSession(url, ports, (session) =>
    session.query(`create function bench_transfer(from_account bigint, debit bigint) returns bigint language plpgsql as $$
declare
  found account;
  key uuid := (left(gen_random_uuid()::text, 35) || '0')::uuid;
begin
  select * into found from account where id = from_account for no key update;
  if found.balance - debit < found.credit_floor then
    raise exception 'insufficient balance';
  end if;
  insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
  values (from_account, found.seq + 1, ${REVENUE}, -debit, found.balance - debit, 2, key, key, now(), now(), 3, '${ABOUT}');
  update account set balance = balance - debit, seq = seq + 1 where id = from_account;
  return found.balance - debit;
end $$`),
  );
}

export interface PgbenchResult {
  readonly records: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Runs for `seconds` with 32 clients over all wallets. Throws with pgbench's own words when it fails. */
export async function runPgbench(program: string, url: string, seconds: number): Promise<PgbenchResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hero-bench-'));
  try {
    const script = path.join(folder, 'transfer.sql');
    writeFileSync(
      script,
      `\\set wallet random(1, ${WALLETS})\n\\set amount random(1, 1024)\nselect bench_transfer(:wallet * 16, :amount);\n`,
    );
    const { hostname, port, pathname, username, searchParams } = new URL(url);
    const run = promisify(execFile)(
      program,
      // oxfmt-ignore
      [
        '-h', searchParams.get('host') ?? hostname, '-p', port || '5432', '-U', username,
        '-n', '-M', 'prepared', '-c', String(CLIENTS), '-j', '1', '-T', String(seconds),
        '-f', script, '-l', '--log-prefix', path.join(folder, 'log'), pathname.slice(1),
      ],
      { timeout: seconds * 1000 + GRACE_MS },
    );
    const { stdout } = await run;
    const rate = Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
    const latencies = new Latencies();
    for (const file of readdirSync(folder).filter((name) => name.startsWith('log'))) {
      for (const line of readFileSync(path.join(folder, file), 'utf8').split('\n')) {
        const micros = Number(line.split(' ')[2]);
        if (micros > 0) latencies.add(micros / 1000);
      }
    }
    return { records: latencies.count, seconds: latencies.count / rate, ...latencies.percentiles() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
