import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyOf } from '../../scripts/months/story.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/demo-months.ts', import.meta.url));
/** Half a minute on two idle processors; more of it is a slow machine, or a clock that stops too often on its way. */
const WITHIN_MS = 120_000;

const run = (...words: string[]) => promisify(execFile)(process.execPath, [SCRIPT, ...words]);

describe('fourteen months of a wallet', () => {
  let folder = '';
  let told = '';
  let report = '';
  let tookMs = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hero-months-'));
    const begunMs = performance.now();
    told = (await run('--out', folder, '--seed', '7')).stdout;
    tookMs = performance.now() - begunMs;
    report = await readFile(path.join(folder, 'fourteen-months.html'), 'utf8');
  }, 2 * WITHIN_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are over in no time, with a sound ledger and a table that agrees with the books', () => {
    expect(told).toContain('The ledger is sound');
    expect(told).toContain('agrees with the books in 8 ways');
    expect(tookMs).toBeLessThan(WITHIN_MS);
  });

  it('are the same for the same seed, and others for another', () => {
    const days = (seed: number) => storyOf(seed).map(({ day }) => day);
    expect(days(7)).toEqual(days(8));
    expect(told.match(/^day .*(renders|tops up).*$/gm)).toHaveLength(19);
    expect(told).toContain('tops up 92.00 USD');
    const total = /<th scope="row">All<\/th>.*/.exec(report)?.[0] ?? '';
    expect([...total.matchAll(/<td>([^<]*)<\/td>/g)].map(([, amount]) => amount)).toEqual([
      '263.00',
      '-66.9735',
      '-180.00',
      '27.75',
      '0.10',
      '43.8765',
    ]);
  });

  it.each([
    ['payment.credited', 5],
    ['plan.bought', 2],
    ['plan.renewed', 12],
    ['plan.changed', 1],
    ['plan.past_due', 1],
    ['plan.ended', 1],
    ['wallet.runway', 4],
    ['wallet.grace', 1],
    ['wallet.suspended', 1],
    ['wallet.restored', 1],
    ['vm.allocated', 2],
    ['vm.suspended', 2],
    ['vm.resumed', 2],
    ['vm.released', 2],
    ['grant.given', 2],
    ['grant.expired', 1],
    ['outage.credited', 1],
  ])('show %s %i times', (type, times) => {
    expect(report.match(new RegExp(`<circle [^>]*><title>${type.replace('.', '\\.')},`, 'g'))).toHaveLength(times);
  });

  it('show grace and suspension as long as they were, and the curves over all of it', () => {
    const spans = [...report.matchAll(/<title>((?:grace|suspended|outage), [^<]*)</g)].map(([, span]) => span);
    expect(spans).toEqual([
      'grace, 3.0 days',
      'suspended, 2.5 days',
      'outage, 1.5 days',
      'grace, 3.0 days',
      'suspended, 2.5 days',
      'outage, 1.5 days',
    ]);
    const curves = [...report.matchAll(/<path class="curve" d="([^"]+)"/g)].map(([, d = '']) => d);
    expect(curves).toHaveLength(2);
    for (const curve of curves) {
      const xs = [...curve.matchAll(/[MLH](\d+\.\d)/g)].map(([, x]) => Number(x));
      expect(xs).toEqual(xs.toSorted((one, other) => one - other));
      expect([xs[0], (xs.at(-1) ?? 0) > 900]).toEqual([64, true]);
    }
  });

  it('need nothing beside the file', () => {
    expect(report).not.toMatch(/(src|href)=|url\(|https?:/);
  });

  it('are told what to type', async () => {
    const wrong = await run('--seed', 'x').catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 2, stderr: '--seed takes a whole number, for example --seed 7\n' });
  });
});
