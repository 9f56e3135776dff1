/** `npm run bench:usage`: usage over HTTP against a service that takes a transaction for each record. Writes `bench/usage-results.md`. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { serverMicros } from './processor.ts';
import { inSession, startServer, type BenchServer } from './server.ts';
import { Latencies, spreadOf } from './spread.ts';

const HELP = `Measures usage over HTTP: records in batches, single records, and a plain service beside them, in turn.

  npm run bench:usage -- [--rounds 3] [--seconds 5]

Takes about 2 minutes. Nothing else should run meanwhile.
`;

const USERS = 10_000;
const NODES = 20;
const ADMIN_SECRET = 'bench-admin-secret-of-quite-a-few-bytes-71c0';
const PRODUCT = path.resolve(import.meta.dirname, '..', 'bin', 'hero-onboarding.js');
const PLAIN = path.join(import.meta.dirname, 'usage-plain.ts');

interface Contestant {
  readonly name: string;
  readonly isPlain: boolean;
  readonly recordsPerRequest: number;
  readonly callers: number;
}

const CONTESTANTS = {
  plain: { name: 'a transaction for each record, 64 callers', isPlain: true, recordsPerRequest: 1, callers: 64 },
  batches: { name: 'POST /v1/usage, 100 records, 16 callers', isPlain: false, recordsPerRequest: 100, callers: 16 },
  thousands: { name: 'POST /v1/usage, 1,000 records, 8 callers', isPlain: false, recordsPerRequest: 1_000, callers: 8 },
  singles: { name: 'POST /record_usage, 64 callers', isPlain: false, recordsPerRequest: 1, callers: 64 },
} as const satisfies Record<string, Contestant>;
type ContestantId = keyof typeof CONTESTANTS;

interface Result {
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverMicros: number | null;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const server = await startServer();
  const results: Record<ContestantId, Result[]> = { plain: [], batches: [], thousands: [], singles: [] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const id of Object.keys(CONTESTANTS) as ContestantId[]) {
        const result = await slot(server, CONTESTANTS[id], { name: `usage_${id.toLowerCase()}_${round}`, seconds });
        results[id].push(result);
        const { recordsPerSecond, p50Ms, p99Ms, serverMicros: micros } = result;
        console.log(
          `round ${round + 1}  ${CONTESTANTS[id].name}: ${Math.round(recordsPerSecond)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, PostgreSQL ${micros?.toFixed(1) ?? '–'} µs`,
        );
      }
    }
  } finally {
    await server.stop();
  }
  const text = report(results, { rounds, seconds });
  writeFileSync(path.join(import.meta.dirname, 'usage-results.md'), text);
  console.log(`\n${text}`);
}

async function slot(
  server: BenchServer,
  contestant: Contestant,
  { name, seconds }: { readonly name: string; readonly seconds: number },
): Promise<Result> {
  const url = await server.freshDatabase(name);
  await inSession(url, server.ports, (session) => session.query(USERS_SQL));
  const service = contestant.isPlain ? await startPlain(url) : await startProduct(url);
  try {
    const keys = contestant.isPlain ? [''] : await registerNodes(service.port);
    return await load(service.port, { contestant, keys, seconds, postmaster: server.pid() });
  } finally {
    service.child.kill('SIGTERM');
    await once(service.child, 'exit');
  }
}

/** The bench's wallets belong to users whose sids are not ours: the wire takes ULIDs. */
const USERS_SQL = `
  insert into app_user (sid, display_name, created_at) select lpad(id::text, 26, '0'), 'Bench', now() from wallet;
  update wallet set user_sid = lpad(id::text, 26, '0')`;

interface Service {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startPlain(url: string): Promise<Service> {
  const child = fork(PLAIN, [url]);
  const [message] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, port: message.port };
}

async function startProduct(url: string): Promise<Service> {
  const port = 20_000 + (process.pid % 10_000);
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: url,
    HERO_ONBOARDING_MODE: 'sandbox',
    HERO_ONBOARDING_LISTEN: `127.0.0.1:${port}`,
    HERO_ONBOARDING_DATA_DIR: path.join('/var/tmp', `hero-bench-usage-${process.pid}`),
    HERO_ONBOARDING_ADMIN_SECRET: ADMIN_SECRET,
    HERO_ONBOARDING_LOG_LEVEL: 'warn',
  };
  const child = spawn(process.execPath, [PRODUCT, 'serve'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; tries < 200; tries += 1) {
    const status = await ask(port, { path: '/health/ready', method: 'GET' }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return { child, port };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error('the server did not become ready');
}

async function registerNodes(port: number): Promise<string[]> {
  const keys: string[] = [];
  for (let number = 0; number < NODES; number += 1) {
    const body = { name: `node-${number}`, hour_max: '1000000000' };
    const headers = { 'x-hero-onboarding-admin-secret': ADMIN_SECRET };
    const { text } = await ask(port, { path: '/v1/nodes', method: 'POST', body, headers });
    keys.push((JSON.parse(text) as { readonly key: string }).key);
  }
  return keys;
}

interface Load {
  readonly contestant: Contestant;
  readonly keys: readonly string[];
  readonly seconds: number;
  readonly postmaster: number;
}

async function load(port: number, { contestant, keys, seconds, postmaster }: Load): Promise<Result> {
  const { callers, recordsPerRequest, isPlain } = contestant;
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const latencies = new Latencies();
  const state = { isOver: false, count: 0 };
  let records = 0;
  const call = async (caller: number): Promise<void> => {
    const key = keys[caller % keys.length] ?? '';
    while (!state.isOver) {
      const batch = Array.from({ length: recordsPerRequest }, () => drawRecord((state.count += 1)));
      const body = recordsPerRequest === 1 ? batch[0] : { records: batch };
      const startedMs = performance.now();
      const route = recordsPerRequest === 1 ? '/record_usage' : '/v1/usage';
      const headers = isPlain ? {} : { authorization: `Bearer ${key}` };
      const { status, text } = await ask(port, { path: route, method: 'POST', body, headers, agent });
      if (status !== 200 || text.includes('"refused"')) throw new Error(`answered ${status} ${text.slice(0, 300)}`);
      latencies.add(performance.now() - startedMs);
      records += recordsPerRequest;
    }
  };
  const working = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  await Promise.race([working, pause(seconds * 600)]);
  latencies.clear();
  records = 0;
  const before = serverMicros(postmaster);
  const startedMs = performance.now();
  await Promise.race([working, pause(seconds * 1_000)]);
  const elapsed = (performance.now() - startedMs) / 1_000;
  const [done, after, spread] = [records, serverMicros(postmaster), latencies.percentiles()];
  state.isOver = true;
  await working;
  agent.destroy();
  const used = before === null || after === null ? null : (after - before) / done;
  return { recordsPerSecond: done / elapsed, ...spread, serverMicros: used };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An LLM call of a tenth of a cent by one of 10,000 users. */
const drawRecord = (number: number): Record<string, unknown> => ({
  idempotency_key: `${process.pid}-${number}`,
  user_sid: String(1 + ((number * 7_919) % USERS)).padStart(26, '0'),
  applies_to: 'llm',
  resource_kind: 'model/x',
  cost: '0.0012345678',
  provider: 'openrouter',
  tokens: { input: 1_204, output: 311 },
  occurred_at: new Date().toISOString(),
  description: 'LLM call',
});

interface Asked {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

function ask(port: number, asked: Asked): Promise<{ readonly status: number; readonly text: string }> {
  const body = asked.body === undefined ? '' : JSON.stringify(asked.body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...asked.headers };
  const { path: route, method, agent } = asked;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path: route, method, headers, ...(agent && { agent }) },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function report(
  results: Readonly<Record<ContestantId, readonly Result[]>>,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): string {
  const shown = (values: readonly (number | null)[], decimals: number): string => {
    const spread = spreadOf(values);
    if (!spread) return '–';
    const text = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: decimals });
    return `${text(spread.median)} (${text(spread.min)}–${text(spread.max)})`;
  };
  const ids = Object.keys(CONTESTANTS) as ContestantId[];
  const rows = ids.map((id) => {
    const of = results[id];
    const ratios = of.map(
      ({ recordsPerSecond }, round) => recordsPerSecond / (results.plain[round]?.recordsPerSecond ?? NaN),
    );
    const cells = [
      CONTESTANTS[id].name,
      shown(
        of.map((one) => one.recordsPerSecond),
        0,
      ),
      shown(ratios, 1),
      shown(
        of.map((one) => one.p50Ms),
        1,
      ),
      shown(
        of.map((one) => one.p99Ms),
        1,
      ),
      shown(
        of.map((one) => one.serverMicros),
        1,
      ),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Usage over HTTP

${new Date().toISOString().slice(0, 16)} UTC · ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version} · ${rounds} rounds of ${seconds} s, everything
in turn; medians with their extremes. fsync on; server, PostgreSQL and callers share the processors. 10,000 wallets, ${NODES} nodes;
each record is an LLM call that is priced, discounted, carried, held to its node's budget and posted. The plain service does none of
that: it takes an amount and writes one transaction a record (bench/usage-plain.ts).

| who | records/s | times the plain service | p50 ms | p99 ms | PostgreSQL µs a record |
|---|---|---|---|---|---|
${rows.join('\n')}

Targets: 25 times the plain service and 20,000 records/s with 100 records a request; 12 times with 64 single callers, p99 not above
the plain service's; 15 µs of PostgreSQL a record.
`;
}

await main();
