import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { POSTING_KINDS } from '../src/domain/ledger/posting.ts';
import { ALL_CHECKS } from '../src/prod-check/reference.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const documents = globSync(
  ['*.md', 'docs/**/*.md', 'src/**/*.md', 'test/**/*.md', 'bench/*.md', 'client/*.md', 'sandbox/**/*.md'],
  {
    cwd: root,
  },
);

/** The anchors a document offers, as the usual renderers make them from its headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = withoutCode(markdown).matchAll(/^#{1,6}\s+(.+?)\s*$/gm);
  return new Set([...headings].map(([, text = '']) => slugOf(text)));
}

const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const withoutCode = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```/gm, '');

/** Where a link leads to nothing, as `document: link`. Links to other hosts are not followed. */
function brokenLinks(document: string): string[] {
  const links = withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? document : path.join(path.dirname(document), file);
      if (!existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).has(anchor);
    })
    .map((link) => `${document}: ${link}`);
}

describe('the documents', () => {
  it('every link between documents leads somewhere', () => {
    expect(documents.length).toBeGreaterThan(20);
    expect(documents.flatMap(brokenLinks)).toEqual([]);
  });

  it('the chart of accounts has every kind of posting with its number', () => {
    const chart = read('docs/chart-of-accounts.md');
    const listed = [...chart.matchAll(/^\| `([a-z_]+)`\s*\| (\d+)\s*\|/gm)].map(([, kind, number]) => [
      kind,
      Number(number),
    ]);
    expect(listed).toEqual(Object.entries(POSTING_KINDS));
  });

  it('the runbook explains every check of --check-prod-config, by its number and title', () => {
    const runbook = read('docs/operator-runbook.md');
    expect(ALL_CHECKS.filter(({ id, title }) => !runbook.includes(`**${id} · ${title}.**`))).toEqual([]);
  });

  it('every decision is in the index', () => {
    const index = read('docs/decisions/README.md');
    const pages = globSync('*.md', { cwd: path.join(root, 'docs/decisions') }).filter((page) => page !== 'README.md');
    expect(pages.filter((page) => !index.includes(`(${page})`))).toEqual([]);
  });
});
