import { z } from 'zod';
import { runAutoRecharges } from '../operations/auto-recharge/run.ts';
import { doClocksAgree } from '../operations/clock/compare.ts';
import { runCorrection } from '../operations/correction/run.ts';
import type { House, JobName } from '../operations/house.ts';
import { settleOutage } from '../operations/outage/settle.ts';
import { ownCause } from '../operations/payment/cause.ts';
import { checkPayment } from '../operations/payment/poll.ts';
import { sendRefund } from '../operations/refund/send.ts';
import { followMoney } from '../operations/standing/follow-money.ts';
import { applyWebhook } from '../operations/webhook-event/apply.ts';

const payloadSchema = z.object({ sid: z.string() });

/** What each job of the queue does, as a plain function. All are safe to run twice: the queue delivers at least once. */
export const JOBS: Readonly<Record<JobName, (house: House, payload: unknown) => Promise<void>>> = {
  'webhook.apply': async (house, payload) => {
    await applyWebhook(house, payloadSchema.parse(payload).sid, ownCause(house, 'webhook'));
  },
  'correction.run': async (house, payload) => {
    await runCorrection(house, payloadSchema.parse(payload).sid);
  },
  'outage.settle': async (house, payload) => {
    await settleOutage(house, payloadSchema.parse(payload).sid);
  },
  'refund.send': async (house, payload) => {
    await sendRefund(house, payloadSchema.parse(payload).sid, ownCause(house, 'refund'));
  },
  // Whoever has just switched it on is not kept waiting for the tick; what is due is charged, whoever's it is.
  'auto-recharge.run': async (house) => {
    if (await doClocksAgree(house)) await runAutoRecharges(house);
  },
  // Both are nudges: with clocks that are apart they are left to the ticks.
  'standing.watch': async (house, payload) => {
    if (await doClocksAgree(house)) await followMoney(house, payloadSchema.parse(payload).sid);
  },
  'payment.check': async (house, payload) => {
    await checkPayment(house, payloadSchema.parse(payload).sid);
  },
};
