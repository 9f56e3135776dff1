import { hash } from 'node:crypto';
import { z } from 'zod';
import { usagePath } from '../../domain/usage/batch.ts';
import type { Ports } from '../../ports/ports.ts';
import {
  ForgeFailure,
  USAGE_FILE_BYTES_MAX,
  type FileRead,
  type HourWrite,
  type UsageRepository,
} from '../usage-repository.ts';
import { forgeCaller, type CallForge, type ForgeAnswer } from './call.ts';
import { fromOtoml, toOtoml } from './otoml.ts';

export interface ForgeOptions {
  /** The Forge's own address, without a slash at the end. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly branch: string;
  readonly token: string;
  readonly ports: Ports;
}

const nodePath = (node: string): string => `nodes/${node}`;

/**
 * A repository of Forgejo or Gitea, by their REST API. Connects to nothing until it is first used.
 *
 * Source: contents, multi-file contents and commits of `/api/v1/repos/{owner}/{name}`.
 */
export function forgeRepository({ url, repository, branch, token, ports }: ForgeOptions): UsageRepository {
  const call = forgeCaller({ url, token, ports });
  const at = (path: string): string => `/repos/${encodePath(repository)}${path}`;
  const contents = (path: string, ref: string): string =>
    at(`/contents/${encodePath(path)}?ref=${encodeURIComponent(ref)}`);
  const reader = { call, contents };
  return {
    listNodes: async () => {
      const answer = await call({ name: 'list nodes', method: 'GET', path: contents('nodes', branch) });
      if (answer.status === 404) {
        await requireRepository(call, at(''), repository);
        return [];
      }
      return entriesOf(answer, 'list nodes')
        .filter(({ type }) => type === 'dir')
        .map(({ name }) => name)
        .toSorted();
    },
    newestCommit: async (node) => {
      const about = {
        sha: branch,
        path: nodePath(node),
        limit: '1',
        stat: 'false',
        verification: 'false',
        files: 'false',
      };
      const path = at(`/commits?${new URLSearchParams(about).toString()}`);
      const answer = await call({ name: 'read newest commit', method: 'GET', path });
      // 409: the repository is empty. 404: nothing was ever there.
      if (answer.status === 404 || answer.status === 409) return null;
      return checked(commitsShape, answer, 'read newest commit')[0]?.sha ?? null;
    },
    listFiles: async (node, commit) => {
      const path = contents(nodePath(node), commit);
      const answer = await call({ name: 'list files', method: 'GET', path });
      if (answer.status === 404) return [];
      return entriesOf(answer, 'list files')
        .map(({ name, type, sha, size }) => ({ name, isFile: type === 'file', blobSha: sha, bytes: size }))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    },
    readFile: async (node, file, commit) => {
      if (file.bytes > USAGE_FILE_BYTES_MAX) return tooLarge(file.bytes);
      const read = await readContent(reader, `${nodePath(node)}/${file.name}`, commit);
      if (read === null || read.blobSha !== file.blobSha) throw broken('The Forge answered with another file.');
      return read;
    },
    readHour: (node, hour) => readContent(reader, usagePath(node, hour), branch),
    bytesOf: ({ node, records }) => Buffer.byteLength(toOtoml(node, records)),
    write: (files, message) => write(call, at, { files, message, branch }),
  };
}

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

const broken = (message: string): ForgeFailure => new ForgeFailure('broken', 'none', message);

const tooLarge = (bytes: number): FileRead => ({
  kind: 'malformed',
  reason: `it has ${bytes} bytes, more than ${USAGE_FILE_BYTES_MAX}`,
});

const hex = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const entryShape = z.object({
  name: z.string(),
  sha: hex,
  type: z.enum(['file', 'dir', 'symlink', 'submodule']),
  size: z.int().min(0),
});
const fileShape = entryShape.extend({ encoding: z.string().nullish(), content: z.string().nullish() });
const commitsShape = z.array(z.object({ sha: hex }));

/** Refuses an answer that is not what we asked for: charges must not depend on a guess. */
function checked<T>(shape: z.ZodType<T>, { status, body }: ForgeAnswer, name: string): T {
  if (status >= 300) throw new ForgeFailure('refused', 'none', `The Forge refused (${name}, ${status}${said(body)}).`);
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  const fields = read.error.issues.slice(0, 3).map((issue) => issue.path.join('.') || 'the whole');
  throw broken(`The Forge's answer has the wrong shape (${name}: ${fields.join(', ')}).`);
}

const entriesOf = (answer: ForgeAnswer, name: string): z.output<typeof entryShape>[] =>
  checked(z.array(entryShape), answer, name);

/** What a Forge writes of its own refusal; it does not repeat headers. */
function said(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : null;
  return typeof message === 'string' ? `: ${message.slice(0, 200)}` : '';
}

/** A folder that is not there and a repository that is not there, or not for us, are both 404. */
async function requireRepository(call: CallForge, path: string, repository: string): Promise<void> {
  const { status } = await call({ name: 'read repository', method: 'GET', path });
  if (status === 404) {
    throw new ForgeFailure(
      'refused',
      'none',
      `The Forge knows no repository ${repository}, or the token may not see it: look at FORGE_USAGE_REPOSITORY and FORGE_USAGE_TOKEN.`,
    );
  }
}

interface Reader {
  readonly call: CallForge;
  readonly contents: (path: string, ref: string) => string;
}

/** Null: there is no such file. */
async function readContent(
  { call, contents }: Reader,
  path: string,
  ref: string,
): Promise<(FileRead & { readonly blobSha: string }) | null> {
  const answer = await call({ name: 'read file', method: 'GET', path: contents(path, ref) });
  if (answer.status === 404) return null;
  const { sha, size, type, encoding, content } = checked(fileShape, answer, 'read file');
  if (type !== 'file') return { kind: 'malformed', reason: `it is a ${type}`, blobSha: sha };
  if (size > USAGE_FILE_BYTES_MAX) return { ...tooLarge(size), blobSha: sha };
  if (encoding !== 'base64' || typeof content !== 'string') throw broken('The Forge left the content of a file out.');
  const bytes = Buffer.from(content, 'base64');
  // An answer that was cut, or is another file's, is a failure of the way, not of the node.
  if (blobShaOf(bytes, sha.length) !== sha) throw broken('The Forge answered with a content that is not the file.');
  return { ...fromOtoml(bytes), blobSha: sha };
}

/** Git's name of a content; 64 digits in a repository of the newer object format. */
function blobShaOf(bytes: Uint8Array, digits: number): string {
  const object = Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]);
  return hash(digits === 64 ? 'sha256' : 'sha1', object, 'hex');
}

/** 400, 409, 422: each Forge and release has its own for "the file is not as you think". */
const CONFLICTS: ReadonlySet<number> = new Set([400, 409, 422]);

interface Commit {
  readonly files: readonly HourWrite[];
  readonly message: string;
  readonly branch: string;
}

async function write(
  call: CallForge,
  at: (path: string) => string,
  { files, message, branch }: Commit,
): Promise<'written' | 'conflict'> {
  const changes = files.map(({ node, hour, records, blobSha }) => ({
    operation: blobSha === null ? 'create' : 'update',
    path: usagePath(node, hour),
    content: Buffer.from(toOtoml(node, records)).toString('base64'),
    ...(blobSha === null ? {} : { sha: blobSha }),
  }));
  const together = { name: 'write files', method: 'POST', path: at('/contents') } as const;
  const answer = await call({ ...together, body: { branch, message, files: changes } });
  // 404 and 405 are also how a release without this route answers: the files one by one tell the rest.
  if (answer.status !== 404 && answer.status !== 405) return outcomeOf(answer);
  for (const { operation, path, ...change } of changes) {
    const alone = { name: 'write file', path: at(`/contents/${encodePath(path)}`) };
    const method = operation === 'create' ? 'POST' : 'PUT';
    const outcome = outcomeOf(await call({ ...alone, method, body: { branch, message, ...change } }));
    if (outcome === 'conflict') return 'conflict';
  }
  return 'written';
}

function outcomeOf({ status, body }: ForgeAnswer): 'written' | 'conflict' {
  if (status === 200 || status === 201) return 'written';
  if (CONFLICTS.has(status)) return 'conflict';
  const hint = status === 404 ? ': look at FORGE_USAGE_REPOSITORY, FORGE_USAGE_BRANCH and the token' : said(body);
  throw new ForgeFailure('refused', 'none', `The Forge did not take the files (${status}${hint}).`);
}
