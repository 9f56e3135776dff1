import { mergeRecords, usagePath, type FileRecord, type KeyedRecord } from '../../domain/usage/batch.ts';
import { isRefusal, type Refusal } from '../../domain/refusal.ts';
import {
  ForgeFailure,
  USAGE_FILE_BYTES_MAX,
  type HourWrite,
  type UsageRepository,
} from '../../providers/usage-repository.ts';
import {
  countWaiting,
  listWaitingHours,
  markPushed,
  readQueuedOfHour,
  type WaitingHour,
} from '../../store/usage-queue.ts';
import type { House } from '../house.ts';
import { forgeAway, notConfigured } from './forge-away.ts';

export interface PushedFile {
  readonly path: string;
  /** written: with new records · unchanged: it had them all · malformed, too_large: nothing was done, for people to look at */
  readonly outcome: 'written' | 'unchanged' | 'malformed' | 'too_large';
  readonly added: number;
  /** Keys that the repository has with another content, which counts. */
  readonly conflicts: readonly string[];
  readonly message: string | null;
}

export interface Pushed {
  readonly files: readonly PushedFile[];
  readonly commits: number;
  /** Records that still wait. */
  readonly waiting: number;
}

/** Files in one commit: a day. */
const FILES_MAX = 24;
/** One request holds them all, in base64; proxies before a Forge often take no more than 10 MB. A larger file goes alone. */
const COMMIT_BYTES_MAX = 4 * 1_048_576;
/** Each time somebody else was faster; a rival that always is writes something else than hours of ours. */
const ATTEMPTS_MAX = 6;
const BACK_OFF_FIRST_MS = 200;

/**
 * Writes what was queued to the repository: each hour's file is read, merged by key and written when that adds something.
 *
 * The repository is the state: a record counts as pushed when the file was seen to have it, or was written with it.
 * Refuses `unavailable` where the Forge does not answer; what waits goes on waiting.
 * Safe to: run again, at once, after a crash anywhere.
 */
export async function pushUsage(house: House): Promise<Pushed | Refusal> {
  const { db, usageRepository: repository, ports } = house;
  if (repository === null) return notConfigured();
  const files: PushedFile[] = [];
  let commits = 0;
  let after: WaitingHour | null = null;
  try {
    for (;;) {
      const hours: WaitingHour[] = await listWaitingHours(db, { after, limit: FILES_MAX });
      after = hours.at(-1) ?? null;
      if (after === null) break;
      const pushed = await pushHours(house, repository, hours);
      files.push(...pushed.files);
      commits += pushed.commits;
    }
  } catch (error) {
    const away = forgeAway(error);
    ports.log.warn({ error, waiting: await countWaiting(db) }, 'usage could not be pushed to the Forge and waits');
    return away;
  }
  const waiting = await countWaiting(db);
  if (files.length > 0) ports.log.info({ files: files.length, commits, waiting }, 'usage was pushed to the Forge');
  return { files, commits, waiting };
}

/** The tick: nothing is asked of a Forge that nobody configured. */
export async function pushUsageByClock(house: House): Promise<void> {
  if (house.usageRepository === null) return;
  const pushed = await pushUsage(house);
  if (isRefusal(pushed)) return;
  for (const file of pushed.files.filter(isForPeople)) {
    house.ports.log.error({ ...file }, 'a usage file needs a look: see the runbook, usage through a Forge');
  }
}

const isForPeople = ({ outcome, conflicts }: PushedFile): boolean =>
  conflicts.length > 0 || outcome === 'malformed' || outcome === 'too_large';

/** What is to be done with one file. */
interface Plan {
  readonly hour: WaitingHour;
  readonly ours: readonly KeyedRecord[];
  readonly file: PushedFile;
  /** Null: nothing to write. */
  readonly write: HourWrite | null;
  readonly bytes: number;
}

async function pushHours(
  house: House,
  repository: UsageRepository,
  hours: readonly WaitingHour[],
): Promise<Omit<Pushed, 'waiting'>> {
  const { clock, random } = house.ports;
  for (let attempt = 1; ; attempt += 1) {
    const plans: Plan[] = [];
    for (const hour of hours) plans.push(await planOf(house, repository, hour));
    const writes = plans.map(({ write }) => write).filter((write) => write !== null);
    // Rare, and reading half of them again is cheaper than a second way to keep count.
    if (writes.length > 1 && plans.reduce((sum, { bytes }) => sum + bytes, 0) > COMMIT_BYTES_MAX) {
      const half = Math.ceil(hours.length / 2);
      const one = await pushHours(house, repository, hours.slice(0, half));
      const other = await pushHours(house, repository, hours.slice(half));
      return { files: [...one.files, ...other.files], commits: one.commits + other.commits };
    }
    if (writes.length === 0 || (await tryToWrite(repository, writes, attempt)) === 'written') {
      await markAll(house, plans);
      return { files: plans.map(({ file }) => file), commits: Math.min(writes.length, 1) };
    }
    const [jitter = 0] = random.bytes(1);
    await clock.sleep(BACK_OFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + jitter / 512));
  }
}

async function planOf(house: House, repository: UsageRepository, hour: WaitingHour): Promise<Plan> {
  // Checked by the record's schema when they were queued.
  const ours = (await readQueuedOfHour(house.db, hour)) as KeyedRecord[];
  const path = usagePath(hour.nodeName, hour.hour);
  const there = await repository.readHour(hour.nodeName, hour.hour);
  const nothing = { added: 0, conflicts: [], message: null };
  const left = (outcome: 'malformed' | 'too_large', message: string): Plan => ({
    hour,
    ours: [],
    file: { ...nothing, path, outcome, message },
    write: null,
    bytes: 0,
  });
  if (there?.kind === 'malformed')
    return left('malformed', `The file in the repository cannot be read: ${there.reason}.`);
  const known: readonly FileRecord[] = there?.records ?? [];
  const { records, added, conflicts } = mergeRecords(known, ours);
  if (added === 0)
    return { hour, ours, file: { ...nothing, path, outcome: 'unchanged', conflicts }, write: null, bytes: 0 };
  const write = { node: hour.nodeName, hour: hour.hour, records, blobSha: there?.blobSha ?? null };
  const bytes = repository.bytesOf(write);
  if (bytes > USAGE_FILE_BYTES_MAX)
    return left(
      'too_large',
      `The file would have ${bytes} bytes, and one of more than ${USAGE_FILE_BYTES_MAX} is not read.`,
    );
  return { hour, ours, file: { path, outcome: 'written', added, conflicts, message: null }, write, bytes };
}

/** 'conflict': to be read and merged again. An answer that was lost is told by what is there then. */
async function tryToWrite(
  repository: UsageRepository,
  writes: readonly HourWrite[],
  attempt: number,
): Promise<'written' | 'conflict'> {
  const [first] = writes;
  const more = writes.length > 1 ? ` and ${writes.length - 1} more` : '';
  const message = `usage: ${first?.node ?? ''} ${first?.hour.toISOString().slice(0, 13) ?? ''}${more}`;
  try {
    const outcome = await repository.write(writes, message);
    if (outcome === 'written' || attempt < ATTEMPTS_MAX) return outcome;
  } catch (error) {
    if (!(error instanceof ForgeFailure) || error.outcome === 'none' || attempt >= ATTEMPTS_MAX) throw error;
    return 'conflict';
  }
  throw new ForgeFailure(
    'refused',
    'none',
    `The Forge did not take the files in ${ATTEMPTS_MAX} tries: they were always newer than read.`,
  );
}

async function markAll({ db, ports }: House, plans: readonly Plan[]): Promise<void> {
  const at = ports.clock.now();
  for (const { hour, ours, file } of plans) {
    const keys = ours.map((record) => record.idempotency_key);
    if (keys.length > 0) await markPushed(db, hour.node, { keys, conflicts: file.conflicts, at });
  }
}
