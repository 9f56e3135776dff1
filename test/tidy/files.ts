import type { Finding, Source } from './source.ts';

const BANNED = new Map([
  ['utils', 'the noun it works on'],
  ['util', 'the noun it works on'],
  ['helpers', 'the noun it works on'],
  ['helper', 'the noun it works on'],
  ['common', 'the noun it works on'],
  ['misc', 'the noun it works on'],
  ['data', 'what the data is'],
  ['info', 'what it tells'],
  ['manager', 'what it does'],
  ['lib', 'what is in it'],
]);
const LINES_MAX = 400;
const COUNTED = /\.(ts|tsx|js|css|sql)$/;

/** Names and sizes. */
export function checkFile(source: Source): Finding[] {
  const findings: Finding[] = [];
  for (const part of source.file.split('/')) {
    const better = BANNED.get(part.replace(/\.[^.]+$/, '').replace(/\.test$/, ''));
    if (better !== undefined)
      findings.push({ file: source.file, line: 1, rule: `is called "${part}"`, instead: `name ${better}` });
  }
  const name = source.file.split('/').at(-1) ?? '';
  if (/\.(ts|js)$/.test(name) && /[A-Z_]/.test(name)) {
    findings.push({ file: source.file, line: 1, rule: 'is not in kebab-case', instead: 'write words-with-hyphens.ts' });
  }
  const lines = source.text.split('\n').length - 1;
  if (COUNTED.test(source.file) && lines > LINES_MAX) {
    findings.push({
      file: source.file,
      line: lines,
      rule: `has ${lines} lines, more than ${LINES_MAX}`,
      instead: 'split it by noun',
    });
  }
  return findings;
}
