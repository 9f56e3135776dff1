import { isRefusal, type Refusal, type RefusalCode } from '../../domain/refusal.ts';
import { isUsageFileName } from '../../domain/usage/batch.ts';
import { ForgeFailure, type UsageFile, type UsageRepository } from '../../providers/usage-repository.ts';
import { findNodesByName, type NodeRow } from '../../store/node.ts';
import {
  forgetFolder,
  readFileShas,
  readFolderCommit,
  resolveGone,
  writeFileResult,
  writeFolderCommit,
  type Quarantined,
} from '../../store/usage-file.ts';
import type { House } from '../house.ts';
import { forgeAway, notConfigured } from './forge-away.ts';
import { namesakesOf, recordOfFolder, type Namesakes } from './namesakes.ts';
import type { Recorded } from './record-usage.ts';

export interface AggregatedFolder {
  readonly name: string;
  readonly nodeSid: string | null;
  /**
   * read: everything new has its answer · unchanged: nothing is new · again: some records were told to come later · failed: the Forge broke ·
   * unknown_node: no such node, or it is revoked; not read
   */
  readonly outcome: 'read' | 'unchanged' | 'again' | 'failed' | 'unknown_node';
  readonly commit: string | null;
  readonly files: number;
  readonly applied: number;
  readonly repeated: number;
  readonly unbilled: number;
  readonly refused: number;
  readonly malformed: number;
  readonly message: string | null;
}

/** Records handed to the ledger at once, as over HTTP. */
const RECORDS_MAX = 1_000;
/** Anything else cannot be a registered node; a hostile name stays out of statements. */
const NODE_NAME = /^[a-z0-9.-]{1,63}$/;
/** Of a name that is nobody's, for the answer. */
const NAME_SHOWN_MAX = 100;

/**
 * Collects what nodes left in the repository: every record through the same door as over HTTP.
 *
 * A folder whose newest commit was read is skipped, and of a changed one the files that were read. What was read is written down after
 * its last record has a final answer. `isFull`: everything is read again. A record is charged once, however often and by whatever way
 * it comes.
 *
 * Refuses `unavailable` where the Forge does not answer at all; a folder it breaks on is told, and the others go on.
 * Throws when the database is away: what is not written down is read again.
 * Safe to: run again, at once, after a crash anywhere.
 */
export async function aggregateUsage(
  house: House,
  { isFull }: { readonly isFull: boolean },
): Promise<AggregatedFolder[] | Refusal> {
  const { usageRepository: repository, ports, db } = house;
  if (repository === null) return notConfigured();
  let names: string[];
  try {
    names = await repository.listNodes();
  } catch (error) {
    const away = forgeAway(error);
    ports.log.warn({ error }, 'usage could not be collected from the Forge');
    return away;
  }
  const registered = await findNodesByName(
    db,
    names.filter((name) => NODE_NAME.test(name)),
  );
  const nodes = new Map(registered.map((node) => [node.name, node]));
  const folders: AggregatedFolder[] = [];
  for (const name of names) {
    const node = nodes.get(name);
    folders.push(node ? await aggregateFolder(house, repository, node, isFull) : unknownFolder(name));
  }
  tell(house, folders);
  return folders;
}

/** The tick: nothing is asked of a Forge that nobody configured. */
export async function aggregateUsageByClock(house: House): Promise<void> {
  if (house.usageRepository !== null) await aggregateUsage(house, { isFull: false });
}

function tell({ ports }: House, folders: readonly AggregatedFolder[]): void {
  const unknown = folders.filter(({ outcome }) => outcome === 'unknown_node').map(({ name }) => name);
  if (unknown.length > 0)
    ports.log.warn(
      { folders: unknown.slice(0, 20) },
      'folders of nodes that are not registered, or revoked, are not read',
    );
  for (const folder of folders) {
    if (folder.refused > 0 || folder.malformed > 0)
      ports.log.warn({ ...folder }, 'usage of a node was set aside: see usage list-quarantine');
    else if (folder.files > 0) ports.log.info({ ...folder }, 'usage of a node was collected');
  }
}

const NOTHING = { files: 0, applied: 0, repeated: 0, unbilled: 0, refused: 0, malformed: 0, message: null } as const;

const unknownFolder = (name: string): AggregatedFolder => ({
  ...NOTHING,
  name: name.slice(0, NAME_SHOWN_MAX),
  nodeSid: null,
  outcome: 'unknown_node',
  commit: null,
  message: 'No node of this name is registered, or it is revoked. Its folder is not read.',
});

async function aggregateFolder(
  house: House,
  repository: UsageRepository,
  node: NodeRow,
  isFull: boolean,
): Promise<AggregatedFolder> {
  const about = { ...NOTHING, name: node.name, nodeSid: node.sid };
  const { db, ports } = house;
  try {
    if (isFull) await db.transaction('usage.forget_folder', (tx) => forgetFolder(tx, node.id));
    const commit = await repository.newestCommit(node.name);
    if (commit === null || commit === (await readFolderCommit(db, node.id)))
      return { ...about, outcome: 'unchanged', commit };
    const namesakes = await namesakesOf(house, node);
    if (isRefusal(namesakes)) return { ...about, outcome: 'again', commit, message: namesakes.message };
    return await readFolder(house, { repository, node, namesakes, commit });
  } catch (error) {
    if (!(error instanceof ForgeFailure)) throw error;
    ports.log.warn({ error, node: node.name }, 'the folder of a node could not be read and is tried again');
    return { ...about, outcome: 'failed', commit: null, message: error.message };
  }
}

interface Folder {
  readonly repository: UsageRepository;
  readonly node: NodeRow;
  readonly namesakes: Namesakes;
  readonly commit: string;
}

async function readFolder(house: House, folder: Folder): Promise<AggregatedFolder> {
  const { repository, node, commit } = folder;
  const { db, ports } = house;
  const listed = (await repository.listFiles(node.name, commit)).filter(({ name }) => isOfInterest(name));
  const known = await readFileShas(db, node.id);
  const sum = { files: 0, applied: 0, repeated: 0, unbilled: 0, refused: 0, malformed: 0 };
  const about = { name: node.name, nodeSid: node.sid, commit };
  for (const file of listed) {
    if (known.get(file.name) === file.blobSha) continue;
    const result = await readOneFile(house, folder, file);
    sum.files += 1;
    for (const one of result.recorded) {
      if (one === null || (one.refusal === null && one.isRepeated)) sum.repeated += 1;
      else if (one.refusal !== null) sum.refused += 1;
      else if (one.answer.outcome === 'unbilled') sum.unbilled += 1;
      else sum.applied += 1;
    }
    if (result.malformed) sum.malformed += 1;
    // The others would be told the same: all of them wait for the next hour of the budget, or for the ledger.
    if (result.again !== null) return { ...about, ...sum, outcome: 'again', message: result.again.message };
  }
  await resolveGone(
    db,
    node.id,
    listed.map(({ name }) => name),
    ports.clock.now(),
  );
  await writeFolderCommit(db, node.id, commit, ports.clock.now());
  return { ...about, ...sum, outcome: 'read', message: null };
}

/** A README may lie beside them; what ends like ours and is not named like ours is a mistake worth telling. */
const isOfInterest = (name: string): boolean => /^[\x20-\x7e]{1,200}\.otoml$/.test(name);

interface ReadFile {
  /** In the order of the file; null: a node that had this name before was answered for it. */
  readonly recorded: readonly (Recorded | null)[];
  readonly malformed: boolean;
  /** Why some records must come again: then nothing is written down. */
  readonly again: Refusal | null;
}

async function readOneFile(house: House, folder: Folder, file: UsageFile): Promise<ReadFile> {
  const content = await contentOf(folder, file);
  if (content.kind === 'malformed') {
    const code: RefusalCode = 'invalid_request';
    const reason = `The file cannot be read: ${content.reason}.`;
    await writeDown(house, folder.node, {
      file,
      records: 0,
      quarantined: [{ position: 0, idempotencyKey: null, code, reason }],
    });
    return { recorded: [], malformed: true, again: null };
  }
  const recorded: (Recorded | null)[] = [];
  for (let start = 0; start < content.records.length; start += RECORDS_MAX) {
    const batch = content.records.slice(start, start + RECORDS_MAX);
    const some = await recordOfFolder(house, folder.node, folder.namesakes, batch);
    if (isRefusal(some)) return { recorded, malformed: false, again: some };
    recorded.push(...some);
    const again = some.map((one) => one?.refusal ?? null).find((refusal) => refusal !== null && isPassing(refusal));
    if (again !== undefined && again !== null) return { recorded, malformed: false, again };
  }
  const quarantined = recorded.flatMap((one, index) => {
    if (one === null || one.refusal === null) return [];
    const { answer, refusal } = one;
    const reason = answer.message ?? refusal.message;
    return [{ position: index + 1, idempotencyKey: answer.idempotency_key, code: refusal.code, reason }];
  });
  await writeDown(house, folder.node, { file, records: recorded.length, quarantined });
  return { recorded, malformed: false, again: null };
}

async function contentOf({ repository, node, commit }: Folder, file: UsageFile) {
  const malformed = (reason: string) => ({ kind: 'malformed', reason }) as const;
  if (!file.isFile) return malformed('it is a link or a folder');
  if (!isUsageFileName(file.name)) return malformed('its name is not usage_<YYYY-MM-DD-HH>.otoml');
  return await repository.readFile(node.name, file, commit);
}

/** The same record may be taken later: by the next hour of the node's budget, by a ledger that is less busy. */
const isPassing = ({ code }: Refusal): boolean => code === 'rate_limited' || code === 'unavailable';

async function writeDown(
  { db, ports }: House,
  node: NodeRow,
  result: { readonly file: UsageFile; readonly records: number; readonly quarantined: readonly Quarantined[] },
): Promise<void> {
  const { file, records } = result;
  const quarantined = result.quarantined.map((one) => ({
    ...one,
    reason: withoutNul(one.reason),
    sid: ports.ids.sid(),
  }));
  const at = ports.clock.now();
  await db.transaction('usage.write_file_result', (tx) =>
    writeFileResult(tx, { node: node.id, name: file.name, blobSha: file.blobSha, records, quarantined, at }),
  );
}

/** PostgreSQL has no NUL in texts, and a reason may repeat what a file says. */
const withoutNul = (text: string): string => text.replaceAll('\u0000', '').slice(0, 500);
