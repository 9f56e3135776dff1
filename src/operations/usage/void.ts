import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { liveAccount, type EntryFacts } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { readUsageEntry } from '../../store/usage.ts';
import { readWalletBySid } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { rehearse } from '../rehearse.ts';
import { sidField, signedAmount, textField } from '../schema.ts';
import type { UsageAbout } from './usage-about.ts';
import { correctLines } from './correct-lines.ts';
import { countMoved } from '../operator/daily-limit.ts';

export const usageVoid = operation({
  name: 'usage.void',
  summary: 'Take a usage charge back, exactly and once',
  description:
    'Posts the opposite of what stands of the line, its corrections and its fraction of a micro-dollar included; the line itself stays. ' +
    'A second time answers as the first. ' +
    'What replaces it is reported as a new record. With dry_run nothing is written and the answer says what would happen.',
  http: { method: 'post', path: '/v1/billings/{sid}/statement/{seq}/void', status: 200 },
  access: 'operator',
  right: 'money',
  // The line is the identity: it can be taken back once.
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    seq: z.int().min(1),
    reason: textField(255),
    dry_run: z.boolean().default(false).describe('Only say what would happen.'),
  }),
  output: z.object({
    returned: signedAmount.describe('What the wallet got back.'),
    entry: z.int().describe('The number of the new line.'),
    credit_balance: signedAmount.describe('What the wallet held after it.'),
    is_dry_run: z.boolean(),
  }),
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { db } = call.house;
    const withdraw = async (tx: Tx) => {
      const wallet = await readWalletBySid(tx, input.sid);
      if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
      const account = liveAccount(wallet.id, 'wallet');
      const entry = await readUsageEntry(tx, account, BigInt(input.seq));
      if (!entry) return refuse('not_found', 'This line of the statement is not a usage record.');
      const about = JSON.parse(entry.about ?? '{}') as UsageAbout;
      if (about.voids !== undefined)
        return refuse('state_conflict', 'This line takes another one back. Report the usage again instead.');
      if (about.corrects !== undefined)
        return refuse('state_conflict', `This line corrects line ${about.corrects}. Take that one back.`);
      const correcting = { actorId: call.actor.id, reason: input.reason, why: 'void' } as const;
      const [taken] = await correctLines(call.house, tx, [{ account, seq: entry.seq }], correcting, () => 'nothing');
      if (taken?.kind === 'taken_back') {
        const first = await readUsageEntry(tx, account, taken.line.lastSeq ?? 0n);
        assert(first !== null, 'a line that was taken back has a line that took it');
        return { ...toAnswer(first), is_dry_run: input.dry_run };
      }
      if (taken?.kind === 'skipped') return taken.refusal;
      assert(taken?.kind === 'changed', 'each line has an answer');
      const { made, line } = taken;
      await recordAudit(tx, call, {
        action: 'usage.void',
        subject: wallet.sid,
        reason: input.reason,
        before: { entry: Number(entry.seq), charge: formatDecimal(-line.moved) },
        after: { entry: Number(made.seq), returned: formatDecimal(made.amount) },
      });
      await countMoved(tx, call, made.amount);
      return { ...toAnswer(made), is_dry_run: input.dry_run };
    };
    return input.dry_run ? rehearse(db, 'usage.void_preview', withdraw) : db.transaction('usage.void', withdraw);
  },
});

const toAnswer = ({ amount, seq, balanceAfter }: Pick<EntryFacts, 'amount' | 'seq' | 'balanceAfter'>) => ({
  returned: formatDecimal(amount),
  entry: Number(seq),
  credit_balance: formatDecimal(balanceAfter),
});
