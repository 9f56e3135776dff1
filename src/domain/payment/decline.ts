export const DECLINE_CODES = ['authentication_required', 'declined'] as const;
/** Why the bank of a saved card said no. authentication_required: its owner must confirm, on a page · declined: everything else */
export type DeclineCode = (typeof DECLINE_CODES)[number];

/** A sentence for the owner. `reason`: the bank's own word. */
export function declineSentence(code: DeclineCode, reason: string | null): string {
  if (code === 'authentication_required') {
    return 'The bank wants you to confirm this payment yourself. Nothing was charged.';
  }
  const why = reason === 'insufficient_funds' ? 'there is not enough money on it' : 'the bank gave no other reason';
  return `The saved card was declined: ${why}. Nothing was charged.`;
}
