import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Ports } from '../src/ports/ports.ts';
import { systemPorts } from '../src/ports/system.ts';
import { startEmbedded, type EmbeddedDatabase } from '../src/store/embedded/embedded.ts';
import { migrate } from '../src/store/migrate.ts';
import { openSession, type Session } from '../src/store/postgres.ts';

export const WALLETS = 10_000;
export const REVENUE = -1n;
/** On a disk, and not in /tmp, which is memory on many machines. */
const FOLDER = '/var/tmp/hero-onboarding-bench-';
const MINUTES_30 = 30 * 60_000;

/**
 * fsync, synchronous_commit and full_page_writes stay on. The rest is the server's default but for room: no checkpoint falls
 * into one contestant's time and not into another's, and the keys of 10 million entries fit into memory, as on a small server.
 */
export const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '2GB',
  max_wal_size: '16GB',
  min_wal_size: '4GB',
  checkpoint_timeout: '30min',
};

export interface BenchServer {
  readonly ports: Ports;
  pid(): number;
  version: string;
  /** A database of its own with 10,000 funded wallets and nothing else. Answers its address. */
  freshDatabase(name: string): Promise<string>;
  urlOf(name: string): string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** A folder with initdb and postgres; null: the packaged ones. */
  readonly binFolder?: string | null;
  /** More settings for the server, to try them. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL of the benchmark's own, in a new folder that `stop` removes. */
export async function startServer(options: ServerOptions = {}): Promise<BenchServer> {
  const ports = systemPorts({ logLevel: 'silent' });
  const dataDir = mkdtempSync(FOLDER);
  // Started by root, the server runs as another user, who must be able to enter.
  chmodSync(dataDir, 0o755);
  let embedded: EmbeddedDatabase;
  try {
    const { binFolder = null } = options;
    embedded = await startEmbedded({ dataDir, ports, binFolder, settings: { ...SETTINGS, ...options.settings } });
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
  const urlOf = (name: string): string => {
    const url = new URL(embedded.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  const stop = async (): Promise<void> => {
    await embedded.stop();
    rmSync(embedded.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    rmSync(path.resolve(dataDir), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  try {
    const version = await prepareTemplate(urlOf, ports);
    const freshDatabase = async (name: string): Promise<string> => {
      await inSession(urlOf('postgres'), ports, (session) =>
        session.query(`create database ${name} template ${TEMPLATE} strategy wal_log`),
      );
      return urlOf(name);
    };
    return { ports, pid: () => embedded.pid(), version, freshDatabase, urlOf, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const TEMPLATE = 'bench_template';

async function prepareTemplate(urlOf: (name: string) => string, ports: Ports): Promise<string> {
  const version = await inSession(urlOf('postgres'), ports, async (session) => {
    await session.query(`create database ${TEMPLATE}`);
    const rows = await session.query('select version() as version');
    return String(rows[0]?.['version']);
  });
  await migrate({ url: urlOf(TEMPLATE), ports });
  await inSession(urlOf(TEMPLATE), ports, async (session) => {
    for (const text of WALLETS_SQL) await session.query(text);
    await session.query('vacuum analyze');
  });
  return version;
}

/** 10,000 users, each with a wallet that was credited a million dollars: no debit is declined. */
const FUNDS = '1000000000000';
const WALLETS_SQL = [
  `insert into system_account (id, code, currency) values (${REVENUE}, 'revenue:bench', 'USD')`,
  `insert into app_user (sid, display_name, created_at)
   select 'user' || number, 'User ' || number, now() from generate_series(1, ${WALLETS}) as number`,
  `insert into wallet (id, sid, user_sid, currency, created_at) overriding system value
   select number, 'wallet' || number, 'user' || number, 'USD', now() from generate_series(1, ${WALLETS}) as number`,
  `insert into account (id, currency, balance, seq)
   select number * 16 + role, 'USD', case role when 0 then ${FUNDS} else 0 end, case role when 0 then 1 else 0 end
   from generate_series(1, ${WALLETS}) as number, generate_series(0, 2) as role order by 1`,
  `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind)
   select number * 16, 1, ${REVENUE}, ${FUNDS}, ${FUNDS}, 1, idem, idem, now(), now(), 2
   from generate_series(1, ${WALLETS}) as number, lateral (select (left(md5('fund' || number), 31) || '0')::uuid as idem) as key`,
  `insert into batch_leg (batch, account, amount, recorded_at) values (1, ${REVENUE}, -${WALLETS}::numeric * ${FUNDS}, now())`,
];

export async function inSession<T>(url: string, ports: Ports, body: (session: Session) => Promise<T>): Promise<T> {
  const limits = { statementMs: MINUTES_30, answerMs: MINUTES_30, idleInTransactionMs: MINUTES_30 };
  const session = await openSession({ url, ports, role: null, limits });
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}
