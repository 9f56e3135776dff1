import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse } from '../../domain/refusal.ts';
import { writeAudit } from '../../store/audit.ts';
import type { Tx } from '../../store/db.ts';
import { readUsageEntry } from '../../store/usage.ts';
import { readWalletBySid } from '../../store/wallet.ts';
import { operation } from '../operation.ts';
import { rehearse } from '../rehearse.ts';
import { sidField, signedAmount, textField } from '../schema.ts';
import type { UsageAbout } from './charge-records.ts';
import { takeBack } from './opposite.ts';

export const usageVoid = operation({
  name: 'usage.void',
  summary: 'Take a usage charge back, exactly and once',
  description:
    'Posts the opposite of the line, its fraction of a micro-dollar included; the line itself stays. A second time answers as the first. ' +
    'What replaces it is reported as a new record. With dry_run nothing is written and the answer says what would happen.',
  http: { method: 'post', path: '/v1/billings/{sid}/statement/{seq}/void', status: 200 },
  access: 'operator',
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
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const withdraw = async (tx: Tx) => {
      const wallet = await readWalletBySid(tx, input.sid);
      if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
      const entry = await readUsageEntry(tx, liveAccount(wallet.id, 'wallet'), BigInt(input.seq));
      if (!entry) return refuse('not_found', 'This line of the statement is not a usage record.');
      const about = JSON.parse(entry.about ?? '{}') as UsageAbout;
      if (about.voids !== undefined)
        return refuse('state_conflict', 'This line takes another one back. Report the usage again instead.');
      const account = liveAccount(wallet.id, 'wallet');
      const line = { account, seq: entry.seq, idem: entry.idem, occurredAt: entry.occurredAt, about };
      const withdrawal = { actorId: call.actor.id, reason: input.reason };
      const [taken] = await takeBack(call.house, tx, [line], withdrawal);
      assert(taken !== undefined, 'each line has an answer');
      const { made } = taken;
      if (taken.isNew) {
        await writeAudit(tx, {
          sid: ports.ids.sid(),
          at: ports.clock.now(),
          actor: call.actor.id,
          action: 'usage.void',
          subject: wallet.sid,
          outcome: 'done',
          reason: input.reason,
          before: { entry: Number(entry.seq), charge: formatDecimal(-entry.amount) },
          after: { entry: Number(made.seq), returned: formatDecimal(made.amount) },
          requestId: call.requestId,
        });
      }
      return {
        returned: formatDecimal(made.amount),
        entry: Number(made.seq),
        credit_balance: formatDecimal(made.balanceAfter),
        is_dry_run: input.dry_run,
      };
    };
    return input.dry_run ? rehearse(db, 'usage.void_preview', withdraw) : db.transaction('usage.void', withdraw);
  },
});
