import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { HOUR_MS, mayRescue, type Standing } from '../../domain/standing/state.ts';
import { lockStanding, saveStanding } from '../../store/standing.ts';
import { readWalletFacts } from '../../store/standing-facts.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { standingSchema, toStanding } from './standing.ts';

export const standingRescue = operation({
  name: 'standing.rescue',
  summary: 'Start the VMs of a suspended wallet once, to fetch what is on them',
  description:
    'They run for some hours without charge and stop again by themselves. Once in a suspension; not while an operator has frozen the wallet. ' +
    'Asked for again while they run it answers the same.',
  http: { method: 'post', path: '/v1/billings/{sid}/standing/rescue', status: 200 },
  access: 'user',
  right: 'work',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: standingSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { db, ports, jobs, settings } = call.house;
    return db.transaction('standing.rescue', async (tx) => {
      const wallet = await visibleWallet(tx, call.actor, input.sid);
      if (isRefusal(wallet)) return wallet;
      await lockStanding(tx, wallet.id);
      const [facts] = await readWalletFacts(tx, [wallet.id]);
      assert(facts !== undefined, 'a wallet that was read is there');
      const { standing } = facts;
      const now = ports.clock.now();
      if (standing.state === 'suspended' && standing.rescueUntil !== null && standing.rescueUntil > now) {
        return toStanding(facts);
      }
      if (!mayRescue(standing) || facts.vms === 0) return refuse('state_conflict', whyNot(standing));
      const rescueUntil = new Date(now.getTime() + settings.rescueHours * HOUR_MS);
      // What is fetched is not deleted meanwhile.
      const isLater = standing.deadlineAt !== null && standing.deadlineAt < rescueUntil;
      const after = { ...standing, rescueUntil, deadlineAt: isLater ? rescueUntil : standing.deadlineAt };
      await saveStanding(tx, after);
      await jobs.enqueue(tx, 'standing.watch', { sid: wallet.sid });
      await recordAudit(tx, call, {
        action: 'standing.rescue',
        subject: wallet.sid,
        after: { rescue_until: rescueUntil.toISOString() },
      });
      return toStanding({ ...facts, standing: after });
    });
  },
});

function whyNot({ state, reason, rescueUntil }: Standing): string {
  if (state !== 'suspended') return 'The wallet is not suspended.';
  if (rescueUntil !== null)
    return 'The rescue window of this suspension is over. Pay what is due, and the VMs run again.';
  if (reason === 'operator') return 'An operator has frozen the wallet. Write to them.';
  return 'The wallet has no VM that could be started.';
}
