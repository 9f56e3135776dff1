/** Calls that carry a key. */
const KEYED = new Set([
  'billing.debit',
  'billing.adjust',
  'billing.set-credit-balance',
  'hold.reserve',
  'hold.capture',
  'hold.release',
  'payment.create',
  'correction.create',
  'plan.buy',
  'subscription.change',
  'allocation.create',
  'grant.give',
  'grant.revoke',
  'outage.create',
]);
export const isKeyed = (operation: string): boolean => KEYED.has(operation);
