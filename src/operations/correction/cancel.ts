import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { lockCorrection, updateCorrection } from '../../store/correction.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { correctionSchema, toCorrection } from './correction.ts';

export const correctionCancel = operation({
  name: 'correction.cancel',
  summary: 'Stop a correction where it is; the lines it has corrected stay so',
  description: 'Another correction of the same lines goes on from there: what stands as it should is left alone.',
  http: { method: 'post', path: '/v1/corrections/{sid}/cancel', status: 200 },
  access: 'operator',
  right: 'money',
  // A correction is cancelled once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: correctionSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, { sid, reason }) {
    const { db, ports } = call.house;
    return await db.transaction('correction.cancel', async (tx) => {
      const row = await lockCorrection(tx, sid);
      if (!row) return refuse('not_found', 'There is no correction with this sid.');
      if (row.state === 'done') return refuse('state_conflict', 'The correction is at its end.');
      if (row.state === 'cancelled') return toCorrection(row);
      const cancelled = { ...row, state: 'cancelled', endedAt: ports.clock.now() } as const;
      await updateCorrection(tx, cancelled);
      const before = { state: row.state };
      const after = { state: cancelled.state, lines_done: Number(row.done), lines_changed: Number(row.changed) };
      await recordAudit(tx, call, { action: 'correction.cancel', subject: sid, reason, before, after });
      return toCorrection(cancelled);
    });
  },
});
