import { z } from 'zod';
import type { GitRepository, TreeEntry } from './git-repository.ts';
import type { Dialect, Switches } from './switches.ts';

export interface ApiRequest {
  readonly method: string;
  /** Below `/api/v1/repos/{owner}/{name}`, parts decoded: `['contents', 'nodes', 'a']`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const changeSchema = z.object({
  operation: z.enum(['create', 'update', 'delete']),
  path: z.string().min(1),
  content: z.base64().optional(),
  sha: z.string().optional(),
});
type Change = z.infer<typeof changeSchema>;
const manySchema = z.object({
  branch: z.string().optional(),
  message: z.string().optional(),
  files: z.array(changeSchema).min(1),
});
const oneSchema = z.object({
  branch: z.string().optional(),
  message: z.string().optional(),
  content: z.base64().optional(),
  sha: z.string().optional(),
});

export const no = (status: number, message: string): ApiAnswer => ({
  status,
  body: { message, url: 'https://forge.invalid/api/swagger' },
});

/** The part of a Forge's REST API that moves usage files, over one repository. Synchronous: a request is done before the next begins. */
export function answerApi(
  git: GitRepository,
  { dialect, hasManyFiles }: Switches,
  request: ApiRequest,
  now: Date,
): ApiAnswer {
  const { method, parts, query } = request;
  const [noun = '', ...rest] = parts;
  if (noun === '' && method === 'GET')
    return { status: 200, body: { default_branch: git.branch, empty: git.head() === null } };
  if (noun === 'commits' && method === 'GET') return listCommits(git, query);
  if (noun !== 'contents') return no(404, 'The target couldn’t be found.');
  const at = rest.join('/');
  if (method === 'GET') return readContents(git, at, query.get('ref'));
  if (rest.length === 0) {
    if (!hasManyFiles || method !== 'POST') return no(404, 'The target couldn’t be found.');
    const many = parse(manySchema, request.body);
    return many === null ? no(422, 'Invalid body') : write(git, dialect, { ...many, now, status: 201 });
  }
  const operation = OPERATIONS.get(method);
  const one = parse(oneSchema, request.body);
  if (operation === undefined) return no(405, 'Method Not Allowed');
  if (one === null) return no(422, 'Invalid body');
  const { content, sha, ...about } = one;
  const change = {
    operation,
    path: at,
    ...(content === undefined ? {} : { content }),
    ...(sha === undefined ? {} : { sha }),
  };
  return write(git, dialect, { ...about, files: [change], now, status: operation === 'create' ? 201 : 200 });
}

const OPERATIONS = new Map<string, Change['operation']>([
  ['POST', 'create'],
  ['PUT', 'update'],
  ['DELETE', 'delete'],
]);

function parse<T>(schema: z.ZodType<T>, body: string): T | null {
  try {
    return schema.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}

/** A branch or a commit; null: neither. */
function commitOf(git: GitRepository, ref: string | null): string | null {
  if (ref === null || ref === git.branch) return git.head();
  return git.hasCommit(ref) ? ref : null;
}

function listCommits(git: GitRepository, query: URLSearchParams): ApiAnswer {
  if (git.head() === null) return no(409, 'Git Repository is empty.');
  const from = commitOf(git, query.get('sha'));
  if (from === null) return no(404, 'The target couldn’t be found.');
  const at = query.get('path') ?? '';
  // As with real ones, `limit` does not count beside `path`.
  const found = git.log(from, at, at === '' ? Number(query.get('limit') ?? 50) : 50);
  if (at !== '' && found.length === 0) return no(404, 'The target couldn’t be found.');
  return { status: 200, body: found.map((sha) => ({ sha, commit: { message: '' } })) };
}

function readContents(git: GitRepository, at: string, ref: string | null): ApiAnswer {
  const commit = commitOf(git, ref);
  const entry = commit === null || !isPath(at) ? null : git.find(commit, at);
  if (entry === null) return no(404, 'The target couldn’t be found.');
  if (entry.mode === '40000')
    return { status: 200, body: git.tree(entry.sha).map((one) => shown(git, one, at, false)) };
  return { status: 200, body: shown(git, entry, at, true) };
}

const TYPES = { '100644': 'file', '40000': 'dir', '120000': 'symlink', '160000': 'submodule' } as const;

function shown(git: GitRepository, { name, mode, sha }: TreeEntry, at: string, isWhole: boolean): object {
  const type = TYPES[mode];
  const content = type === 'file' || type === 'symlink' ? git.blob(sha) : null;
  return {
    name,
    path: isWhole ? at : `${at}/${name}`,
    sha,
    type,
    size: content?.length ?? 0,
    encoding: isWhole && type === 'file' ? 'base64' : null,
    content: isWhole && type === 'file' ? (content?.toString('base64') ?? null) : null,
  };
}

const isPath = (at: string): boolean => at.split('/').every((part) => part !== '..' && part !== '.' && part !== '.git');

interface Write {
  readonly branch?: string | undefined;
  readonly message?: string | undefined;
  readonly files: readonly Change[];
  readonly now: Date;
  readonly status: number;
}

function write(git: GitRepository, dialect: Dialect, { branch, message, files, now, status }: Write): ApiAnswer {
  if (branch !== undefined && branch !== git.branch) return no(404, `branch does not exist [name: ${branch}]`);
  const head = git.head();
  for (const { operation, path, sha } of files) {
    if (!isPath(path)) return no(422, `path contains a malformed path component [path: ${path}]`);
    const there = head === null ? null : git.find(head, path);
    if (operation === 'create' && there !== null) return no(422, `repository file already exists [path: ${path}]`);
    if (operation !== 'create' && sha === undefined)
      return no(422, 'a SHA or commit ID must be proved when updating a file');
    if (operation !== 'create' && there === null)
      return dialect === 'gitea' ? no(404, 'object does not exist') : no(500, 'object does not exist');
    if (operation !== 'create' && there?.sha !== sha) {
      return no(STALE[dialect], `sha does not match [given: ${sha ?? ''}, expected: ${there?.sha ?? ''}]`);
    }
  }
  const changes = new Map(
    files.map(({ operation, path, content = '' }) => [
      path,
      operation === 'delete' ? null : { content: Buffer.from(content, 'base64') },
    ]),
  );
  const commit = git.commit(changes, { message: message ?? '', at: now });
  return { status, body: { commit: { sha: commit }, files: files.map(({ path }) => ({ path })) } };
}

const STALE: Readonly<Record<Dialect, number>> = { forgejo: 409, forgejo_old: 422, gitea: 422, odd: 400 };
