import type { JobName } from '../operations/house.ts';

/**
 * Each kind of job has workers of its own, however many of another kind wait: a million events of a provider hold up no refund, and a
 * correction of many lines no payment.
 *
 * How many run at once in a process. Each waits for a provider most of its time.
 */
export const WORKERS: Readonly<Record<JobName, number>> = {
  'webhook.apply': 2,
  'payment.check': 1,
  'refund.send': 1,
  'auto-recharge.run': 1,
  'correction.run': 1,
  'standing.watch': 1,
  'outage.settle': 1,
};

export const LANES: readonly JobName[] = Object.keys(WORKERS) as JobName[];
