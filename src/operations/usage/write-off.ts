import { z } from 'zod';
import { parseDecimal } from '../../domain/money.ts';
import { assert } from '../../domain/assert.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { refuse } from '../../domain/refusal.ts';
import { lockAhead } from '../../store/ledger.ts';
import { closeUnbilled, readUnbilled } from '../../store/unbilled.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { textField } from '../schema.ts';
import { toUnbilled, unbilledIdField, unbilledSchema } from './list-unbilled.ts';
import { countMoved } from '../operator/daily-limit.ts';

export const usageWriteOff = operation({
  name: 'usage.write-off',
  summary: 'Give up on an unbilled record: it is never billed',
  description: 'No money moves: nothing was ever posted for it. A second time answers as the first.',
  http: { method: 'post', path: '/v1/usage/unbilled/write-off', status: 200 },
  access: 'operator',
  right: 'money',
  // A record is written off once.
  idempotency: 'none',
  input: z.strictObject({ id: unbilledIdField, reason: textField(255) }),
  output: unbilledSchema,
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { db, ports } = call.house;
    return db.transaction('usage.write_off', async (tx) => {
      const [found] = await readUnbilled(tx, [input.id]);
      if (!found) return refuse('not_found', 'There is no unbilled record with this id.');
      // Whoever bills or replaces it holds this lock.
      await lockAhead(tx, [liveAccount(found.wallet, 'wallet')]);
      const [row] = await readUnbilled(tx, [input.id]);
      assert(row !== undefined, 'a declined posting is never removed');
      if (row.state === 'written_off') return toUnbilled(row);
      if (row.state !== 'open')
        return refuse('state_conflict', `The record is ${row.state}: there is nothing left to write off.`);
      const { reason } = input;
      const closing = { at: ports.clock.now(), actor: call.actor.id, reason };
      await closeUnbilled(tx, [{ idem: row.idem, outcome: 'written_off', byIdem: null }], closing);
      const after = toUnbilled({ ...row, state: 'written_off', reason });
      await recordAudit(tx, call, {
        action: 'usage.write-off',
        subject: row.walletSid,
        reason,
        before: { id: row.idem, state: row.state },
        after: { id: row.idem, state: after.state, amount: after.amount },
      });
      await countMoved(tx, call, parseDecimal(after.amount) ?? 0n);
      return after;
    });
  },
});
