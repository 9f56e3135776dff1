/** `npm run bench:usage`: usage over HTTP against services that take a transaction for each record. Writes `bench/usage-results.md`. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { buildFullLedger, FULL_LEDGER } from './full-ledger.ts';
import { processMicros, serverMicros } from './processor.ts';
import { startServer, type BenchServer } from './server.ts';
import { checkSums, prepareHouse, readSums } from './usage-database.ts';
import { runLoad } from './usage-load.ts';
import { CONTESTANTS, lineOf, report, type ContestantId, type Result, type Results } from './usage-report.ts';
import { forgetStatements, STATEMENT_SETTINGS, statementShares } from './usage-statements.ts';
import { registerNodes, startOther, startProduct, stopService, type Service } from './usage-services.ts';

const HELP = `Measures usage over HTTP: records in batches, single records, and two services that write a transaction for each record, in turn.

  npm run bench:usage -- [--rounds 3] [--seconds 5] [--entries 10000000] [--only batches,singles] [--profile FOLDER] [--statements]

--entries 0 leaves out the full ledger, whose making takes minutes. --only measures those alone and writes no results. --profile leaves
profiles of the server's processor time in the folder. --statements tells after each run what each statement took. Nothing else should run meanwhile.
`;

const NODES = 20;
const WARM_SECONDS = 3;

interface Options {
  readonly seconds: number;
  readonly profileFolder: string | null;
  readonly areStatementsTold: boolean;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      entries: { type: 'string', default: '10000000' },
      only: { type: 'string', default: '' },
      profile: { type: 'string', default: '' },
      statements: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rounds, seconds, wanted] = [Number(values.rounds), Number(values.seconds), Number(values.entries)];
  const profileFolder = values.profile === '' ? null : path.resolve(values.profile);
  const areStatementsTold = values.statements;
  const server = await startServer({ settings: areStatementsTold ? STATEMENT_SETTINGS : {} });
  const results: Results = {};
  let entries = 0;
  try {
    const ids = (Object.keys(CONTESTANTS) as ContestantId[]).filter(
      (id) => (values.only === '' || values.only.split(',').includes(id)) && (id !== 'full' || wanted > 0),
    );
    if (ids.includes('full')) entries = await buildFullLedger(server, wanted);
    for (let round = 0; round < rounds; round += 1) {
      for (const id of ids) {
        const result = await slot(server, id, {
          seconds,
          profileFolder,
          areStatementsTold,
          name: `usage_${id.toLowerCase()}_${round}`,
        });
        (results[id] ??= []).push(result);
        console.log(`round ${round + 1}  ${lineOf(id, result)}`);
      }
    }
  } finally {
    await server.stop();
  }
  const text = report(results, { rounds, seconds, warmSeconds: WARM_SECONDS, nodes: NODES, entries });
  if (values.only === '') writeFileSync(path.join(import.meta.dirname, 'usage-results.md'), text);
  console.log(`\n${text}`);
}

/** One contestant, in a database of its own but for the full one. */
async function slot(
  server: BenchServer,
  id: ContestantId,
  options: Options & { readonly name: string },
): Promise<Result> {
  const contestant = CONTESTANTS[id];
  const url = id === 'full' ? server.urlOf(FULL_LEDGER) : await server.freshDatabase(options.name);
  await prepareHouse(server, url);
  const { service: kind } = contestant;
  const keys = kind === 'plain' ? [] : await withProduct(url, (port) => registerNodes(port, NODES));
  const services: Service[] = [];
  try {
    for (let number = 0; number < contestant.processes; number += 1)
      services.push(
        kind === 'product' ? await startProduct(url, options.profileFolder) : await startOther(`usage-${kind}.ts`, url),
      );
    return await measure(server, { id, url, keys, services }, options);
  } finally {
    for (const service of services) await stopService(service);
  }
}

/** The other service takes the product's nodes as they are. */
async function withProduct<T>(url: string, body: (port: number) => Promise<T>): Promise<T> {
  const product = await startProduct(url, null);
  try {
    return await body(product.port);
  } finally {
    await stopService(product);
  }
}

interface Measured {
  readonly id: ContestantId;
  readonly url: string;
  readonly keys: readonly string[];
  readonly services: readonly Service[];
}

async function measure(
  server: BenchServer,
  { id, url, keys, services }: Measured,
  { seconds, areStatementsTold }: Options,
): Promise<Result> {
  const { service, callers, recordsPerRequest, recordsPerSecondMax } = CONTESTANTS[id];
  const kind = service === 'plain' ? 'debit' : 'usage';
  const before = await readSums(server, url, kind);
  if (areStatementsTold) await forgetStatements(server, url);
  const used = { node: 0, postgres: 0, callers: 0 };
  const count = (sign: 1 | -1): void => {
    for (const { child } of services) used.node += sign * (processMicros(child.pid ?? 0) ?? Number.NaN);
    used.postgres += sign * (serverMicros(server.pid()) ?? Number.NaN);
    const own = process.cpuUsage();
    used.callers += sign * (own.user + own.system);
  };
  const load = await runLoad(
    {
      ports: services.map(({ port }) => port),
      keys,
      recordsPerRequest,
      callers,
      seconds,
      warmSeconds: WARM_SECONDS,
      records: recordsPerSecondMax * (seconds + WARM_SECONDS),
    },
    (edge) => count(edge === 'begin' ? -1 : 1),
  );
  if (areStatementsTold) console.log(await statementShares(server, url, load.recordsInAll));
  checkSums(before, await readSums(server, url, kind), { records: load.recordsInAll, service });
  return {
    recordsPerSecond: load.records / load.elapsedSeconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    nodeMicros: used.node / load.records,
    postgresMicros: used.postgres / load.records,
    callersMicros: used.callers / load.records,
  };
}

await main();
