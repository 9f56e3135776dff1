/** `npm run demo:months`: fourteen months of one wallet in less than a minute, on a sandbox of its own, and a report of them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { insist, readBooks, readEvents, type Told } from './months/books.ts';
import { reportOf, type Look } from './months/report.ts';
import { daysOf, storyOf } from './months/story.ts';
import { World } from './months/world.ts';
import { removeDataDir, startOwnServer, type OwnServer } from './own-server.ts';

const HELP = `Lives through fourteen months of a wallet with the clock of a sandbox: top-ups, plans and renewals, the discount ladder, credit
that was given and ends, an outage, running dry, suspension, a top-up that restores, and VMs that are given back.

  npm run demo:months -- [--out report] [--seed 7]

Starts a server of its own in a temporary folder and removes it at the end. The same seed has the same months. Writes
fourteen-months.html into the folder --out, after its sums were held against the books, and "ledger check" has found nothing.
`;

const OPTIONS = {
  help: { type: 'boolean', default: false },
  out: { type: 'string', default: 'report' },
  seed: { type: 'string', default: '7' },
} as const;

const { values } = parseArgs({ options: OPTIONS });
const seed = Number(values.seed);
if (values.help) {
  process.stdout.write(HELP);
} else if (!Number.isInteger(seed) || seed < 0) {
  process.stderr.write('--seed takes a whole number, for example --seed 7\n');
  process.exitCode = 2;
} else {
  await demo(seed, values.out);
}

async function demo(of: number, folder: string): Promise<void> {
  const begunMs = performance.now();
  say('Starting a sandbox with an empty database …');
  const server = await startOwnServer();
  try {
    const world = await World.begin(server);
    const { looks, events } = await live(world, of);
    const books = await readBooks(world, events);
    insist(books);
    say(`\nThe table of months agrees with the books in ${books.proofs.length} ways.`);
    const check = checkLedger(server);
    say(check);
    const file = path.join(folder, 'fourteen-months.html');
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, reportOf({ world, books, looks, seed: of, check }));
    say(`\nFourteen months in ${((performance.now() - begunMs) / 1_000).toFixed(0)} seconds: ${file}`);
  } finally {
    await server.stop();
    await removeDataDir(server);
  }
}

interface Lived {
  readonly looks: readonly Look[];
  readonly events: readonly Told[];
}

/** Goes from day to day; on each the wallet is looked at, and once more after somebody has done something. */
async function live(world: World, of: number): Promise<Lived> {
  const deeds = storyOf(of);
  const looks: Look[] = [];
  const told = new Map<string, Told>();
  for (const day of daysOf(deeds)) {
    await world.moveTo(day);
    if (world.kept.has('wallet')) looks.push(await look(world));
    for (const deed of deeds.filter((one) => one.day === day)) {
      const sentence = await deed.run(world);
      const { available } = await world.operator.call('billing.get', { sid: world.recall('wallet') });
      say(`day ${day.toFixed(1).padStart(5)}  ${available.padStart(10)} USD  ${sentence}`);
      looks.push(await look(world));
    }
    if (world.kept.has('wallet')) for (const event of await readEvents(world)) told.set(event.sid, event);
  }
  return { looks, events: [...told.values()] };
}

async function look(world: World): Promise<Look> {
  const { hours } = await world.operator.call('usage.runway', { sid: world.recall('wallet') });
  const { now } = await world.operator.call('clock.get', {});
  return { day: world.dayOf(now), hours };
}

function checkLedger(server: OwnServer): string {
  const check = spawnSync(process.execPath, ['src/main.ts', 'ledger', 'check'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, HERO_ONBOARDING_DATA_DIR: server.dataDir },
    encoding: 'utf8',
  });
  if (check.status !== 0) throw new Error(`the ledger check failed:\n${check.stdout}${check.stderr}`);
  return check.stdout.trimEnd();
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
