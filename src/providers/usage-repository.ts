import type { FileRecord } from '../domain/usage/batch.ts';

/**
 * A Git repository on a Forge through which nodes that cannot reach us report usage (D-14): one folder a node, one file an hour.
 *
 * An implementation knows neither the store nor a payment provider. Every method has a total deadline and throws {@link ForgeFailure}
 * when the outside breaks; what a node has written wrongly is a value.
 */
export interface UsageRepository {
  /** Names of the folders under `nodes/`, as the Forge tells them: not yet known to be anybody's. Empty when there is nothing yet. */
  listNodes(): Promise<string[]>;
  /** The newest commit that touched the node's folder; null: there is none. */
  newestCommit(node: string): Promise<string | null>;
  /** What lies in the node's folder at a commit, in the order of names. */
  listFiles(node: string, commit: string): Promise<UsageFile[]>;
  /** The records of one listed file. */
  readFile(node: string, file: UsageFile, commit: string): Promise<FileRead>;
  /** The file of one hour as it is now on the branch; null: there is none. */
  readHour(node: string, hour: Date): Promise<(FileRead & { readonly blobSha: string }) | null>;
  /** How large the file of these records is; at most {@link USAGE_FILE_BYTES_MAX} are read again. */
  bytesOf(file: Pick<HourWrite, 'node' | 'records'>): number;
  /**
   * Writes files in one commit where the Forge can, one by one where not.
   *
   * `blobSha` is the file as it was read (null: there was none). 'conflict': somebody was faster with one of them, or the Forge had
   * another reason not to take it as it stands; some may be written. Read again and merge.
   * Safe to: repeat after reading again.
   */
  write(files: readonly HourWrite[], message: string): Promise<'written' | 'conflict'>;
}

export interface UsageFile {
  readonly name: string;
  /** False for a symbolic link, a submodule or a folder. */
  readonly isFile: boolean;
  /** Git's hash of the content: a changed file has another one. */
  readonly blobSha: string;
  readonly bytes: number;
}

/** Records are whatever the file says, still to be judged; `node_id` is taken off, because the folder says whose they are. */
export type FileRead =
  | { readonly kind: 'read'; readonly records: readonly FileRecord[] }
  | { readonly kind: 'malformed'; readonly reason: string };

export interface HourWrite {
  readonly node: string;
  readonly hour: Date;
  readonly records: readonly FileRecord[];
  readonly blobSha: string | null;
}

/** More than 30,000 records. Forges answer files of up to 10 MiB. */
export const USAGE_FILE_BYTES_MAX = 8 * 1_048_576;

/** The Forge broke, or refused us. `outcome` says whether a write may have happened. Messages never hold the token. */
export class ForgeFailure extends Error {
  override readonly name = 'ForgeFailure';
  readonly kind: 'timeout' | 'refused' | 'broken' | 'rate_limited';
  readonly outcome: 'none' | 'unknown';
  constructor(kind: ForgeFailure['kind'], outcome: ForgeFailure['outcome'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.outcome = outcome;
  }
}
