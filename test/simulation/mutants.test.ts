import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTANTS, PLANTED } from './mutants.ts';
import { PLAN_MUTANTS } from './mutants-of-plans.ts';
import { patched, ROOT } from './plant.ts';

describe('the planted bugs', () => {
  it('have a name each', () => {
    expect(new Set(MUTANTS).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
  });

  it.each([...PLANTED, ...PLAN_MUTANTS].map((mutant) => [mutant.name, mutant] as const))(
    '%s fits its files and changes them',
    (_, mutant) => {
      const sources = new Map<string, string>();
      for (const patch of mutant.patches) {
        const source = sources.get(patch.file) ?? readFileSync(path.join(ROOT, patch.file), 'utf8');
        const changed = patched(source, patch);
        expect(changed).not.toBe(source);
        sources.set(patch.file, changed);
      }
      // What does not even load is found by luck.
      for (const source of sources.values()) expect(stripTypeScriptTypes(source).length).toBeGreaterThan(0);
    },
  );

  it('refuses a change that does not fit', () => {
    const patch = { file: 'a.ts', find: 'x', replace: 'y' };
    expect(() => patched('a', patch)).toThrow('0 places');
    expect(() => patched('x x', patch)).toThrow('2 places');
  });
});
