export const RECHARGE_STATES = ['on', 'action_required', 'off'] as const;
/** on · action_required: the bank wants the owner to confirm a charge on a page · off: nothing is charged */
export type RechargeState = (typeof RECHARGE_STATES)[number];

export const RECHARGE_REASONS = [
  'by_user',
  'by_operator',
  'card_removed',
  'declined',
  'not_possible',
  'under_review',
  'authentication',
  'monthly_cap',
] as const;
/**
 * Why it is off or waits. by_user, by_operator: switched off · card_removed · declined: the bank said no, once (it waits) or too often (it
 * is off) · not_possible: the provider would not charge · under_review: a charge is looked at by an operator · authentication: the
 * owner must confirm · monthly_cap: waits for the next month
 */
export type RechargeReason = (typeof RECHARGE_REASONS)[number];
