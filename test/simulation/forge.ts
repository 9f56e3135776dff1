import { createHash } from 'node:crypto';
import {
  ForgeFailure,
  type FileRead,
  type HourWrite,
  type UsageFile,
  type UsageRepository,
} from '../../src/providers/usage-repository.ts';
import type { Weather } from './faults.ts';
import type { Mark } from './marks.ts';
import type { Chance } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';

export interface SimForgeOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly chance: Chance;
  readonly mark: (mark: Mark) => void;
}

type Content = Exclude<FileRead, { kind: 'malformed' }>['records'] | null;

interface Commit {
  readonly sha: string;
  /** Git's hash of each file by its path. */
  readonly tree: ReadonlyMap<string, string>;
}

/** A repository in memory that all processes of the house reach over a network, with commits, blobs and rivals. It forgets nothing. */
export class SimForge {
  readonly #options: SimForgeOptions;
  readonly #commits: Commit[] = [];
  /** Null: what it holds cannot be read. */
  readonly #blobs = new Map<string, Content>();
  /** Files of which only a part arrived, and what they should hold. */
  readonly #truncated = new Map<string, readonly HourWrite['records'][number][]>();
  /** Whether this Forge takes many files in one commit. */
  readonly #hasManyFiles: boolean;

  constructor(options: SimForgeOptions) {
    this.#options = options;
    this.#hasManyFiles = options.chance.is(0.7);
  }

  /** The weather is over: somebody has mended the files that cannot be read. */
  calm(): void {
    const mended = new Map([...this.#truncated].map(([path, records]) => [path, this.#keep(path, records)]));
    this.#truncated.clear();
    this.#commit(mended);
  }

  /** The Forge as one process reaches it. */
  repositoryOf(life: Life): UsageRepository {
    const ask = <T>(answer: () => T): Promise<T> => this.#ask(life, answer);
    return {
      listNodes: () => ask(() => [...new Set([...this.#tree(null).keys()].map((path) => folderOf(path)))].toSorted()),
      newestCommit: (node) => ask(() => this.#newestOf(node)),
      listFiles: (node, commit) => ask(() => this.#filesOf(node, commit)),
      readFile: (_, file) => ask(() => this.#read(file.blobSha)),
      readHour: (node, hour) =>
        ask(() => {
          const sha = this.#tree(null).get(pathOf(node, hour));
          return sha === undefined ? null : { ...this.#read(sha), blobSha: sha };
        }),
      bytesOf: ({ records }) => JSON.stringify(records).length,
      write: (files) => this.#write(life, files),
    };
  }

  async #ask<T>(life: Life, answer: () => T): Promise<T> {
    const { scheduler, weather, chance } = this.#options;
    await scheduler.park(life, chance.between(5, 120), 'forge');
    if (weather.strikes('forge_away')) throw new ForgeFailure('broken', 'none', 'the Forge is away');
    return answer();
  }

  async #write(life: Life, files: readonly HourWrite[]): Promise<'written' | 'conflict'> {
    const { scheduler, weather, chance, mark } = this.#options;
    await scheduler.park(life, chance.between(5, 120), 'to the forge');
    if (weather.strikes('forge_away')) throw new ForgeFailure('timeout', 'none', 'the Forge is away');
    const isTaken = (file: HourWrite): boolean =>
      (this.#tree(null).get(pathOf(file.node, file.hour)) ?? null) === file.blobSha;
    // For reasons of its own, as Forges have them.
    const isRefused = weather.strikes('forge_conflict');
    const taken = files.filter(isTaken);
    if (isRefused || (this.#hasManyFiles && taken.length < files.length)) {
      mark('the Forge refuses a push');
      return 'conflict';
    }
    const isHalf = !this.#hasManyFiles && taken.length > 1 && weather.strikes('forge_half_written');
    for (const some of this.#hasManyFiles ? [taken] : taken.slice(0, isHalf ? 1 : undefined).map((file) => [file]))
      this.#put(some);
    await scheduler.park(life, chance.between(5, 120), 'from the forge');
    if (weather.strikes('forge_lost_answer')) throw new ForgeFailure('timeout', 'unknown', 'the answer got lost');
    return isHalf || taken.length < files.length ? 'conflict' : 'written';
  }

  #put(files: readonly HourWrite[]): void {
    const { weather, mark } = this.#options;
    const changed = new Map<string, string>();
    for (const { node, hour, records } of files) {
      const path = pathOf(node, hour);
      this.#truncated.delete(path);
      if (!weather.strikes('forge_truncated')) changed.set(path, this.#keep(path, records));
      else {
        mark('a file on the Forge cannot be read');
        this.#truncated.set(path, records);
        changed.set(path, this.#keep(path, null));
      }
    }
    mark('usage is pushed to the Forge');
    this.#commit(changed);
  }

  #keep(path: string, records: Content): string {
    const sha = createHash('sha1')
      .update(JSON.stringify([path, records, this.#commits.length]))
      .digest('hex');
    this.#blobs.set(sha, records);
    return sha;
  }

  #commit(changed: ReadonlyMap<string, string>): void {
    if (changed.size === 0) return;
    const tree = new Map([...this.#tree(null), ...changed]);
    const sha = createHash('sha1')
      .update(`${this.#commits.length} ${[...tree].join()}`)
      .digest('hex');
    this.#commits.push({ sha, tree });
  }

  /** Of a commit, or of the newest one. */
  #tree(sha: string | null): ReadonlyMap<string, string> {
    const commit = sha === null ? this.#commits.at(-1) : this.#commits.find((one) => one.sha === sha);
    return commit?.tree ?? new Map();
  }

  /** The newest commit that changed the node's folder; a cache in between may answer with the one before. */
  #newestOf(node: string): string | null {
    const touched = this.#commits.filter(({ tree }, index) => {
      const before = this.#commits[index - 1]?.tree;
      return [...tree].some(([path, sha]) => folderOf(path) === node && before?.get(path) !== sha);
    });
    const isStale = touched.length > 1 && this.#options.weather.strikes('forge_stale');
    return touched.at(isStale ? -2 : -1)?.sha ?? null;
  }

  #filesOf(node: string, commit: string): UsageFile[] {
    const own = [...this.#tree(commit)].filter(([path]) => folderOf(path) === node).toSorted(byPath);
    return own.map(([path, blobSha]) => ({ name: path.slice(node.length + 1), isFile: true, blobSha, bytes: 1_000 }));
  }

  #read(sha: string): FileRead {
    const records = this.#blobs.get(sha);
    return records === null || records === undefined
      ? { kind: 'malformed', reason: 'it ends in the middle of a record' }
      : { kind: 'read', records };
  }
}

const pathOf = (node: string, hour: Date): string =>
  `${node}/usage_${hour.toISOString().slice(0, 13).replace('T', '-')}.otoml`;
const folderOf = (path: string): string => path.slice(0, path.indexOf('/'));
const byPath = ([one]: readonly [string, string], [other]: readonly [string, string]): number => (one < other ? -1 : 1);
