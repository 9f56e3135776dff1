import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const SOURCES = path.join(import.meta.dirname, '..', '..', 'src');
const NAMED = /\bstatement\(\s*'([^']+)'/g;

it('every statement has a name of its own, since connections prepare it under that name', () => {
  const names = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(path.join(SOURCES, file), 'utf8').matchAll(NAMED)].map((found) => found[1]));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => !/^[a-z_-]+(\.[a-z0-9_-]+)+$/.test(name ?? ''))).toEqual([]);
});
