import { z } from 'zod';
import { csvLine, type Cell } from '../../domain/export/csv.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { liabilityAt, liabilityInput, type LiabilityReport } from './liability.ts';

export const reportDownloadLiability = operation({
  name: 'report.download-liability',
  summary: 'Get what is owed to customers as a CSV file',
  description: 'The figures of report.liability, one to a line: section, kind, age or part, amount, count.',
  http: { method: 'get', path: '/v1/reports/liability/file', status: 200 },
  access: 'operator',
  right: 'export',
  idempotency: 'none',
  input: z.strictObject(liabilityInput),
  output: z.object({
    file_name: z.string(),
    media_type: z.literal('text/csv'),
    content_base64: z.string(),
  }),
  refusals: [],
  async run({ house }, input) {
    const report = await liabilityAt(house, input.at);
    if (isRefusal(report)) return report;
    return {
      file_name: `liability-${report.at.replaceAll(':', '-')}.csv`,
      media_type: 'text/csv' as const,
      content_base64: Buffer.from(toCsv(report)).toString('base64'),
    };
  },
});

const HEAD = ['at', 'currency', 'section', 'kind', 'part', 'amount', 'count'];
const SUMS = ['paid', 'owing', 'reserved', 'frozen', 'given'] as const;
const BECOME = ['given', 'used', 'expired', 'revoked', 'outstanding'] as const;

function toCsv(report: LiabilityReport): string {
  const { at, currency } = report;
  const line = (section: string, kind: string, part: string, amount: string, count: number | null): string =>
    csvLine([
      ...[at, currency, section, kind, part].map((text): Cell => ({ text })),
      { number: amount },
      count === null ? { text: '' } : { number: String(count) },
    ]);
  return [
    csvLine(HEAD.map((text) => ({ text }))),
    ...SUMS.map((name) => line('owed', name, '', report[name].amount, report[name].count)),
    line('owed', 'total', '', report.total, null),
    line('owed', 'difference', '', report.difference, null),
    ...report.ages.map(({ kind, age, amount }) => line('age', kind, age, amount, null)),
    ...report.given_by_kind.flatMap((row) =>
      BECOME.map((name) => line('given', row.kind, name, row[name], name === 'given' ? row.grants : null)),
    ),
  ].join('');
}
