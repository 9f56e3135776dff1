import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';

export interface TreeEntry {
  readonly name: string;
  readonly mode: '100644' | '40000' | '120000' | '160000';
  readonly sha: string;
}

interface Commit {
  readonly tree: string;
  readonly parent: string | null;
}

/** What is to be at a path afterwards; null: nothing. */
type Change = { readonly content: Uint8Array; readonly mode?: TreeEntry['mode'] } | null;
export type Changes = ReadonlyMap<string, Change>;

/**
 * A bare Git repository with one branch, as `git` itself reads it: loose objects, a ref, nothing else.
 *
 * Written here because the format is 150 lines and a machine that tries the sandbox may have no `git`. History is linear.
 */
export class GitRepository {
  readonly #folder: string;
  readonly #branch: string;
  readonly #trees = new Map<string, readonly TreeEntry[]>();
  readonly #commits = new Map<string, Commit>();

  constructor(folder: string, branch: string) {
    this.#folder = folder;
    this.#branch = branch;
    if (existsSync(path.join(folder, 'HEAD'))) return;
    for (const part of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
      mkdirSync(path.join(folder, part), { recursive: true });
    writeFileSync(
      path.join(folder, 'config'),
      '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n',
    );
    writeFileSync(path.join(folder, 'HEAD'), `ref: refs/heads/${branch}\n`);
  }

  get branch(): string {
    return this.#branch;
  }

  /** Null: nothing was committed yet. */
  head(): string | null {
    const file = this.#refFile();
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  }

  hasCommit(sha: string): boolean {
    return /^[0-9a-f]{40}$/.test(sha) && existsSync(this.#objectFile(sha)) && this.#read(sha).type === 'commit';
  }

  /** Null: there is nothing at the path. The empty path is the root. */
  find(commit: string, at: string): TreeEntry | null {
    let entry: TreeEntry = { name: '', mode: '40000', sha: this.#commit(commit).tree };
    for (const part of at.split('/').filter((name) => name !== '')) {
      if (entry.mode !== '40000') return null;
      const next = this.tree(entry.sha).find(({ name }) => name === part);
      if (next === undefined) return null;
      entry = next;
    }
    return entry;
  }

  tree(sha: string): readonly TreeEntry[] {
    const known = this.#trees.get(sha);
    if (known !== undefined) return known;
    const entries = treeOf(this.#read(sha).body);
    this.#trees.set(sha, entries);
    return entries;
  }

  blob(sha: string): Buffer {
    return this.#read(sha).body;
  }

  /** Commits that changed what is at the path, newest first. */
  log(from: string, at: string, limit: number): string[] {
    const found: string[] = [];
    let sha: string | null = from;
    while (sha !== null && found.length < limit) {
      const { parent } = this.#commit(sha);
      const now = this.find(sha, at)?.sha ?? null;
      const before = parent === null ? null : (this.find(parent, at)?.sha ?? null);
      if (now !== before) found.push(sha);
      sha = parent;
    }
    return found;
  }

  /** One commit on the branch; answers its name. */
  commit(changes: Changes, about: { readonly message: string; readonly at: Date }): string {
    const parent = this.head();
    const root = parent === null ? [] : this.tree(this.#commit(parent).tree);
    const tree = this.#writeTree(root, changes);
    const seconds = Math.floor(about.at.getTime() / 1_000);
    const who = `Sandbox <sandbox@forge.invalid> ${seconds} +0000`;
    const parents = parent === null ? '' : `parent ${parent}\n`;
    const sha = this.#write(
      'commit',
      Buffer.from(`tree ${tree}\n${parents}author ${who}\ncommitter ${who}\n\n${about.message}\n`),
    );
    writeWhole(this.#refFile(), `${sha}\n`);
    return sha;
  }

  #writeTree(entries: readonly TreeEntry[], changes: Changes): string {
    const next = new Map(entries.map((entry) => [entry.name, entry]));
    const below = new Map<string, Map<string, Change>>();
    for (const [at, change] of changes) {
      const [name = '', ...rest] = at.split('/');
      if (rest.length > 0) {
        const inside = below.get(name) ?? new Map<string, Change>();
        below.set(name, inside.set(rest.join('/'), change));
      } else if (change === null) next.delete(name);
      else next.set(name, { name, mode: change.mode ?? '100644', sha: this.#write('blob', change.content) });
    }
    for (const [name, inside] of below) {
      const there = next.get(name);
      const children = there?.mode === '40000' ? this.tree(there.sha) : [];
      const sha = this.#writeTree(children, inside);
      if (this.tree(sha).length === 0) next.delete(name);
      else next.set(name, { name, mode: '40000', sha });
    }
    const sorted = [...next.values()].toSorted((one, other) => (sortName(one) < sortName(other) ? -1 : 1));
    const body = sorted.flatMap(({ mode, name, sha }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, 'hex')]);
    return this.#write('tree', Buffer.concat(body));
  }

  #commit(sha: string): Commit {
    const known = this.#commits.get(sha);
    if (known !== undefined) return known;
    const text = this.#read(sha).body.toString('utf8');
    const commit = {
      tree: /^tree ([0-9a-f]{40})$/m.exec(text)?.[1] ?? '',
      parent: /^parent ([0-9a-f]{40})$/m.exec(text)?.[1] ?? null,
    };
    this.#commits.set(sha, commit);
    return commit;
  }

  #read(sha: string): { readonly type: string; readonly body: Buffer } {
    const whole = inflateSync(readFileSync(this.#objectFile(sha)));
    const end = whole.indexOf(0);
    const [type = ''] = whole.toString('latin1', 0, end).split(' ');
    return { type, body: whole.subarray(end + 1) };
  }

  #write(type: 'blob' | 'tree' | 'commit', body: Uint8Array): string {
    const whole = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
    const sha = createHash('sha1').update(whole).digest('hex');
    const file = this.#objectFile(sha);
    if (!existsSync(file)) writeWhole(file, deflateSync(whole));
    return sha;
  }

  #objectFile(sha: string): string {
    return path.join(this.#folder, 'objects', sha.slice(0, 2), sha.slice(2));
  }

  #refFile(): string {
    return path.join(this.#folder, 'refs', 'heads', this.#branch);
  }
}

/** Git sorts folders as if their names ended in a slash. */
const sortName = ({ name, mode }: TreeEntry): string =>
  Buffer.from(mode === '40000' ? `${name}/` : name).toString('latin1');

function treeOf(body: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const end = body.indexOf(0, space);
    // Only what this class wrote is read here, and it knows four modes.
    const mode = body.toString('latin1', at, space) as TreeEntry['mode'];
    entries.push({ mode, name: body.toString('utf8', space + 1, end), sha: body.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}

/** A reader sees the old content or the new one, and so does the next process when this one was killed. */
function writeWhole(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}
