import { z } from 'zod';
import { AGES } from '../../domain/movement/movement.ts';
import { listStatementReads } from '../../store/statement-read.ts';
import { operation } from '../operation.ts';
import { instant, signedAmount } from '../schema.ts';
import { reconcileAll } from './reconcile-all.ts';
import { reportOn } from './unexplained.ts';

const accountSchema = z
  .object({
    provider: z.string(),
    account: z.string().describe("The provider's own id of the account."),
    read_from: instant,
    read_up_to: instant.describe('Up to when the statement was read.'),
    lines: z.int(),
    moved: signedAmount.describe('What the lines come to, before fees.'),
    fees: signedAmount,
    statement: signedAmount.describe('What the provider says it holds for us, by its statement.'),
    books: signedAmount.describe('What our books say it holds for us.'),
    unexplained: signedAmount.describe('statement − books.'),
    by_age: z.array(
      z.object({
        age: z.enum(AGES.map(({ name }) => name)).describe('How long ago what is unexplained happened.'),
        items: z.int(),
        amount: signedAmount,
      }),
    ),
    remainder: signedAmount.describe(
      'What the items do not explain either: zero, unless there are more than 500 of them or the ledger is wrong.',
    ),
    items: z
      .array(
        z.object({
          side: z.enum(['statement', 'books']).describe('Who has it, and the other has not.'),
          sid: z.string().describe("The movement's sid, or the payment event's."),
          kind: z.string(),
          ref: z.string(),
          amount: signedAmount,
          at: instant,
          reason: z.string().nullable(),
        }),
      )
      .describe('What does not agree, oldest first, at most 500.'),
  })
  .meta({ id: 'AccountReport' });

export const reconciliationReport = operation({
  name: 'reconciliation.report',
  summary: 'Compare the providers’ account statements with our books',
  description:
    'As far as the statements were read; an hourly job reads them, and `reconciliation.run` does at once. A difference is told by its age and ' +
    'item by item.',
  http: { method: 'get', path: '/v1/reconciliation', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({ accounts: z.array(accountSchema) }),
  refusals: [],
  async run({ house }) {
    const reads = await listStatementReads(house.db);
    const accounts = [];
    for (const read of reads) accounts.push(await reportOn(house, read));
    return {
      accounts: accounts.map((account) => ({ ...account, by_age: [...account.by_age], items: [...account.items] })),
    };
  },
});

export const reconciliationRun = operation({
  name: 'reconciliation.run',
  summary: 'Read the providers’ lists and statements now, and report',
  description:
    'What the hourly job does: settles payments whose news was lost, posts fees and payouts, compares line by line. A provider that does not ' +
    'answer is named in `failed`; the others are read all the same.',
  http: { method: 'post', path: '/v1/reconciliation/run', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    accounts: z.array(accountSchema),
    failed: z.array(z.object({ provider: z.string(), reason: z.string() })),
  }),
  refusals: [],
  async run({ house }) {
    const { reports, failed } = await reconcileAll(house);
    return {
      accounts: reports.map((report) => ({ ...report, by_age: [...report.by_age], items: [...report.items] })),
      failed: [...failed],
    };
  },
});
