import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../src/config/settings.ts';
import { REFUSALS } from '../src/domain/refusal.ts';
import { checkArrows } from './tidy/arrows.ts';
import { checkFile } from './tidy/files.ts';
import { checkPackages } from './tidy/packages.ts';
import { show, sourceOf, type Finding, type Source } from './tidy/source.ts';
import { checkWords } from './tidy/words.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** What is committed or about to be: tracked files and new ones that are not ignored. */
const files = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)));
const sources: readonly Source[] = files
  .filter((file) => /\.(ts|tsx|js|mjs|json|md|sql|css|html|sh|env|ya?ml)$|^\.ci\//.test(file))
  .map((file) => sourceOf(file, read(file)));

const shown = (findings: readonly Finding[]): string[] => findings.map(show);

describe('the project keeps its own rules', () => {
  it('every import follows the arrows between the layers', () =>
    expect(shown(sources.flatMap(checkArrows))).toEqual([]));
  it('clock, random, network, timers, environment, SQL and banned words stay in their places', () =>
    expect(shown(sources.flatMap(checkWords))).toEqual([]));
  it('every file has a telling name and at most 400 lines', () =>
    expect(shown(sources.flatMap(checkFile))).toEqual([]));
  it('every version is exact and the lockfile installs anywhere', () =>
    expect(shown(checkPackages(read('package.json'), read('package-lock.json')))).toEqual([]));
  it('install scripts of packages do not run', () => expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m));
});

describe('documents say what the code does', () => {
  it('the page of refusals lists exactly the codes of the code', () => {
    const listed = [...read('docs/reference/refusals.md').matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
    expect(new Set(listed)).toEqual(new Set(Object.keys(REFUSALS)));
  });

  it('no document names a setting that does not exist', () => {
    const known = new Set<string>(Object.values(SETTINGS).map((setting) => setting.env));
    const unknown = sources
      .filter((source) => source.file.endsWith('.md'))
      .flatMap((source) =>
        [...source.text.matchAll(/\bHERO_ONBOARDING_[A-Z_]*[A-Z]\b/g)].map((match) => `${source.file}: ${match[0]}`),
      )
      .filter((mention) => !known.has(mention.split(': ')[1] ?? ''));
    expect(unknown).toEqual([]);
  });
});

const planted = (file: string, text: string): string[] => {
  const source = sourceOf(file, text);
  return [...checkArrows(source), ...checkWords(source), ...checkFile(source)].map(show);
};

describe('the rules find what they forbid', () => {
  const cases: readonly (readonly [file: string, text: string, says: string])[] = [
    ['src/domain/x/y.ts', "import { z } from 'zod';\n", 'src/domain/x/y.ts:1 domain imports the package zod'],
    ['src/domain/x/y.ts', "\nimport { a } from '../../store/db.ts';\n", 'src/domain/x/y.ts:2 domain imports store'],
    ['src/store/x.ts', "import { a } from '../operations/house.ts';\n", 'store imports operations'],
    ['src/http/x.ts', "import { a } from '../cli/y.ts';\n", 'http imports cli'],
    ['src/operations/x.ts', "import type { A } from '../http/y.ts';\n", 'operations imports http'],
    ['src/providers/stripe/x.ts', "import { a } from '../btcpay/y.ts';\n", 'one provider imports another'],
    ['src/http/x.ts', "import { a } from '../../sandbox/stripe/main.ts';\n", 'http imports sandbox'],
    ['src/http/x.ts', "import { a } from '../../test/support/ports.ts';\n", 'neither tests nor scripts'],
    ['src/http/x.ts', "const a = await import('../cli/y.ts');\n", 'http imports cli'],
    ['src/http/x.ts', 'const now = Date.now();\n', 'touches the real clock; take house.ports.clock'],
    ['src/http/x.ts', 'const now = new Date();\n', 'touches the real clock'],
    ['src/http/x.ts', 'const text = `at ${new Date()}`;\n', 'touches the real clock'],
    ['src/http/x.ts', 'const dice = Math.random();\n', 'touches the real random source'],
    ['src/http/x.ts', "await fetch('https://example.org');\n", 'touches the network'],
    ['src/http/x.ts', 'setTimeout(stop, 10);\n', 'touches a real timer'],
    ['src/http/x.ts', 'const home = process.env.HOME;\n', 'touches the environment'],
    ['src/http/x.ts', 'process.exit(1);\n', 'touches the end of the process'],
    ['src/http/x.ts', "import pg from 'pg';\n", "imports 'pg'"],
    ['src/http/x.ts', "import { spawn } from 'node:child_process';\n", 'starts a process'],
    ['src/operations/x.ts', "const text = 'select sid from wallet';\n", 'holds SQL; put the statement into src/store/'],
    ['src/operations/x.ts', 'const text = `\n  update wallet set a = 1`;\n', 'holds SQL'],
    ['src/store/x.ts', "const s = statement('a.b', `select ${column} from wallet`);\n", 'builds SQL from a value'],
    ['src/x/utils.ts', '\n', 'is called "utils.ts"'],
    ['web/common/button.tsx', '\n', 'is called "common"'],
    ['src/http/bigThing.ts', '\n', 'is not in kebab-case'],
    ['src/http/x.ts', 'const a = 1;\n'.repeat(401), 'has 401 lines'],
    ['docs/x.md', 'Later: TODO\n', 'leaves work behind'],
    ['web/x.tsx', 'const cents = Number(value) * 100;\n', 'converts money by hand'],
    ['web/x.tsx', 'node.innerHTML = text;\n', 'sets innerHTML'],
    ['src/store/x.ts', 'const tls = { rejectUnauthorized: false };\n', 'trusts any certificate'],
    ['src/http/x.ts', 'export default 1;\n', 'has a default export'],
    ['src/http/x.ts', "export * from './y.ts';\n", 'is a barrel'],
    ['src/http/x.ts', '// oxlint-disable-next-line no-console\n', 'without a reason'],
    ['src/http/x.ts', '// @ts-ignore\n', 'silences the compiler'],
    ['test/x.test.ts', "it.skip('x', () => {});\n", 'does not run a test'],
    ['docs/x.md', 'See /work/main.\n', 'names a place of one machine'],
  ];
  for (const [file, text, says] of cases) {
    it(`a planted violation in ${file} is found: ${says}`, () => {
      expect(planted(file, text).join('\n')).toContain(says);
    });
  }

  it('every finding names the file, the line, the rule and what to do instead', () => {
    expect(planted('src/http/x.ts', '\n\nconst now = new Date();\n')).toEqual([
      'src/http/x.ts:3 touches the real clock; take house.ports.clock',
    ]);
  });

  it('comments, strings and regular expressions are not code', () => {
    const text = `// Date.now() is not for us\nconst a = 'new Date()';\nconst b = /Math.random/;\n/* fetch() */ const c = \`process.env\`;\nconst d = new Date(0);\n`;
    expect(planted('src/http/x.ts', text)).toEqual([]);
  });

  const lock = (packages: object): string => JSON.stringify({ packages });
  it('SQL may be put together from constants of its own file', () => {
    const text = "const columns = 'sid';\nconst a = statement('a.b', `select ${columns} from wallet`);\n";
    expect(planted('src/store/x.ts', text)).toEqual([]);
  });

  it.each([
    [JSON.stringify({ dependencies: { a: '^1.0.0' } }), lock({}), 'pin the exact version'],
    [
      '{}',
      lock({ 'node_modules/a': { integrity: 'x', optionalDependencies: { b: '1.0.0' } } }),
      'b, optional for node_modules/a, is not locked',
    ],
    [
      '{}',
      lock({ 'node_modules/a': { integrity: 'x', resolved: 'https://registry.example.org/a.tgz' } }),
      'names a registry',
    ],
    ['{}', lock({ 'node_modules/a': {} }), 'has no integrity'],
  ])('package files %s %s', (manifest, locked, says) => {
    expect(checkPackages(manifest, locked).map(show).join('\n')).toContain(says);
  });
});
