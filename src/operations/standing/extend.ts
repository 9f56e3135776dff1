import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { DAY_MS } from '../../domain/standing/state.ts';
import { lockStanding, saveStanding } from '../../store/standing.ts';
import { readWalletFacts } from '../../store/standing-facts.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { instant, sidField, textField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { standingSchema, toStanding } from './standing.ts';
import { tellStanding } from './tell.ts';

/** Who waits for longer than this is given the money, or released. */
const EXTEND_DAYS_MAX = 90;

export const standingExtend = operation({
  name: 'standing.extend',
  summary: 'Give a wallet more time before it is suspended or released',
  description: 'Moves the deadline that it has, and tells its owner of the new one. What is due stays due.',
  http: { method: 'post', path: '/v1/billings/{sid}/standing/extend', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    until: instant.describe(`The new deadline: later than the present one, at most ${EXTEND_DAYS_MAX} days from now.`),
    reason: textField(500).describe('Why; kept in the audit row.'),
  }),
  output: standingSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house } = call;
    const until = new Date(input.until);
    return house.db.transaction('standing.extend', async (tx) => {
      const wallet = await visibleWallet(tx, call.actor, input.sid);
      if (isRefusal(wallet)) return wallet;
      await lockStanding(tx, wallet.id);
      const [facts] = await readWalletFacts(tx, [wallet.id]);
      assert(facts !== undefined, 'a wallet that was read is there');
      const { standing } = facts;
      const now = house.ports.clock.now();
      if (standing.deadlineAt === null) return refuse('state_conflict', 'No deadline runs for this wallet.');
      if (until.getTime() === standing.deadlineAt.getTime()) return toStanding(facts);
      if (until < standing.deadlineAt || until.getTime() > now.getTime() + EXTEND_DAYS_MAX * DAY_MS) {
        const detail = `must be later than ${standing.deadlineAt.toISOString()} and at most ${EXTEND_DAYS_MAX} days from now`;
        return refuse('invalid_request', 'The deadline does not move there.', {
          errors: [{ pointer: '#/until', detail }],
        });
      }
      const after = { ...standing, deadlineAt: until, noticedAt: now };
      await saveStanding(tx, after);
      await recordAudit(tx, call, {
        action: 'standing.extend',
        subject: wallet.sid,
        reason: input.reason,
        before: { deadline_at: standing.deadlineAt.toISOString() },
        after: { deadline_at: until.toISOString() },
      });
      const type = standing.state === 'suspended' ? 'wallet.suspended' : 'wallet.grace';
      const runway = { msLeft: null, endsBy: null };
      if (!facts.isErased) await tellStanding(tx, house, { facts, after, news: [{ type }], runway, now });
      return toStanding({ ...facts, standing: after });
    });
  },
});
