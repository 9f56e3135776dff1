import type { AutoRecharge } from '../surface.ts';

type Reason = NonNullable<AutoRecharge['reason']>;

/** Why it is off, or waits, in the words of the person whose card it is. */
export const REASON_TEXT: Readonly<Record<Reason, string>> = {
  by_user: 'You switched it off.',
  by_operator: 'The operator switched it off.',
  card_removed: 'The card it charged was removed. Choose another one to switch it on again.',
  declined: 'The card was declined.',
  not_possible: 'The card could not be charged.',
  under_review: 'A charge is being looked at by a person. Ask the operator before you switch it on again.',
  authentication: 'Your bank wants you to confirm the payment yourself.',
  monthly_cap: 'The monthly cap is reached.',
};
