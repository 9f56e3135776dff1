import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { lockOutage, readOutage } from '../../store/outage.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { countMoved } from '../operator/daily-limit.ts';
import { instant, sidField } from '../schema.ts';
import { movedBy, wrongTime } from './create.ts';
import { endOpen, readyToEnd } from './end-open.ts';
import { outageSchema, toOutage } from './outage.ts';

export const outageEnd = operation({
  name: 'outage.end',
  summary: 'Say that something is up again; what was paid for the time goes back',
  http: { method: 'post', path: '/v1/outages/{sid}/end', status: 200 },
  access: 'operator',
  right: 'money',
  // An outage ends once.
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    until: instant.optional().describe('When it was up again; not ahead of now. Left out: now.'),
  }),
  output: outageSchema,
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { house } = call;
    const { db, ports } = house;
    const seen = await readOutage(db, input.sid);
    if (!seen) return refuse('not_found', 'There is no outage with this sid.');
    const now = ports.clock.now();
    const until = input.until === undefined ? now : new Date(input.until);
    if (seen.state === 'open') {
      const wrong = wrongTime({ from: seen.fromAt, until }, now);
      if (wrong) return wrong;
    }
    await readyToEnd(house, seen.subject);
    const moving = seen.state === 'open' ? await movedBy(call, seen, { from: seen.fromAt, until }) : 0n;
    if (isRefusal(moving)) return moving;
    return await db.transaction('outage.end', async (tx) => {
      const row = await lockOutage(tx, input.sid);
      if (!row) return refuse('not_found', 'There is no outage with this sid.');
      if (row.state === 'cancelled') return refuse('state_conflict', 'The outage was cancelled.');
      if (row.state !== 'open') {
        const isSame = input.until === undefined || row.untilAt?.getTime() === until.getTime();
        return isSame ? toOutage(row) : refuse('state_conflict', 'The outage has ended at another time.');
      }
      const ended = await endOpen(tx, house, call, row, until);
      const after = { state: ended.state, until: until.toISOString() };
      await recordAudit(tx, call, { action: 'outage.end', subject: row.sid, before: { state: row.state }, after });
      await countMoved(tx, call, moving);
      return toOutage(ended);
    });
  },
});
