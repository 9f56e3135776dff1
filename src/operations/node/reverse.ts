import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { refuse } from '../../domain/refusal.ts';
import { readNode } from '../../store/node.ts';
import { listUsageLines, type UsageLineRow } from '../../store/usage-line.ts';
import { recordAudit } from '../audit/record.ts';
import type { Call } from '../operation.ts';
import { operation } from '../operation.ts';
import { instant, sidField, signedAmount, textField } from '../schema.ts';
import { correctLines } from '../usage/correct-lines.ts';
import { foldAll } from '../usage/fold-all.ts';
import { ANY_LINE, EVER } from './usage.ts';
import { countMoved } from '../operator/daily-limit.ts';

/** Taken back in one commit. */
const STEP_RECORDS = 200;
/** In one request: some seconds. What is left is taken back by asking again. */
const REQUEST_RECORDS_MAX = 5_000;

export const nodeReverse = operation({
  name: 'node.reverse',
  summary: 'Take back everything that a node has charged, or show what that would be',
  description:
    'For a node whose key was stolen, or that measured wrongly. Without `confirm` nothing is written. With it up to 5,000 charges are taken ' +
    'back, and `is_complete` says whether to ask again: what was taken back before is not taken back twice. Revoke the node first.',
  http: { method: 'post', path: '/v1/nodes/{sid}/reverse', status: 200 },
  access: 'operator',
  right: 'money',
  // Each charge can be taken back once.
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    since: instant.optional().describe('Only what was recorded from then on.'),
    until: instant.optional().describe('Only what was recorded before then.'),
    reason: textField(255),
    confirm: z.boolean().default(false),
  }),
  output: z.object({
    records: z.int().describe('Charges that were taken back now, or would be.'),
    wallets: z.int(),
    returned: signedAmount,
    is_complete: z.boolean(),
    is_dry_run: z.boolean(),
  }),
  refusals: ['not_found', 'amount_out_of_range'],
  async run(call, input) {
    const { house } = call;
    if (!(await readNode(house.db, input.sid))) return refuse('not_found', 'There is no node with this sid.');
    await foldAll(house);
    const since = input.since === undefined ? EVER.since : new Date(input.since);
    const until = input.until === undefined ? EVER.until : new Date(input.until);
    const wallets = new Set<string>();
    let [records, returned] = [0, 0n];
    let after: UsageLineRow | null = null;
    for (;;) {
      const filter = { ...ANY_LINE, nodeSid: input.sid, recordedFrom: since, recordedUntil: until };
      const page: UsageLineRow[] = await listUsageLines(house.db, filter, { after, limit: STEP_RECORDS });
      const amounts = input.confirm
        ? await reverse(call, page, input)
        : page.map(({ amount, moved }) => -amount - moved);
      records += amounts.length;
      for (const amount of amounts) returned += amount;
      for (const { walletSid } of page) wallets.add(walletSid);
      after = page.at(-1) ?? after;
      const isComplete = page.length < STEP_RECORDS;
      if (isComplete || (input.confirm && records >= REQUEST_RECORDS_MAX)) {
        const answer = { records, wallets: wallets.size, returned: formatDecimal(returned) };
        return { ...answer, is_complete: isComplete, is_dry_run: !input.confirm };
      }
    }
  },
});

/** Answers what each charge gave back; nothing for those that somebody else took back meanwhile. */
async function reverse(
  call: Call,
  page: readonly UsageLineRow[],
  input: { readonly sid: string; readonly reason: string },
): Promise<bigint[]> {
  if (page.length === 0) return [];
  const { house, actor } = call;
  const { db } = house;
  return await db.transaction('node.reverse', async (tx) => {
    const correcting = { actorId: actor.id, reason: input.reason, why: 'void' } as const;
    const taken = await correctLines(house, tx, page, correcting, () => 'nothing');
    const amounts = taken.flatMap((one) => (one.kind === 'changed' ? one.made.amount : []));
    if (amounts.length > 0) {
      const returned = amounts.reduce((sum, one) => sum + one, 0n);
      await recordAudit(tx, call, {
        action: 'node.reverse',
        subject: input.sid,
        reason: input.reason,
        after: { records: amounts.length, returned: formatDecimal(returned) },
      });
      await countMoved(tx, call, returned);
    }
    return amounts;
  });
}
