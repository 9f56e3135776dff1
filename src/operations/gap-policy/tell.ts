import { tellOverdue } from '../../store/gap-policy.ts';
import type { House } from '../house.ts';

/**
 * Tells an operator, by a warning in the log, of numbers that stay missing in categories that report.
 *
 * Safe to: run twice and concurrently: a gap is told of once, and once more for each day that it stays.
 */
export async function tellOfGaps({ db, ports }: House): Promise<{ readonly told: number }> {
  const overdue = await tellOverdue(db, ports.clock.now());
  for (const { nodeSid, nodeName, category, missing, since } of overdue) {
    const facts = { node_sid: nodeSid, node: nodeName, category, missing, since: since.toISOString() };
    ports.log.warn(facts, 'records of a node have not come: see node gaps');
  }
  return { told: overdue.length };
}
