import type { MemberRole } from '../surface.ts';

export const ROLE_WORDS: Readonly<Record<MemberRole, string>> = { owner: 'Owner', member: 'Member', viewer: 'Viewer' };

export const ROLE_MEANINGS: Readonly<Record<MemberRole, string>> = {
  viewer: 'A viewer sees the wallet and everything in it, and changes nothing.',
  member: 'A member sees everything, adds money and spends, up to a monthly cap if there is one.',
  owner: 'An owner does all that is to be done: also who is in it, money back, cards and endpoints.',
};

/** Six decimals at most, as the server reads amounts; empty is no cap. */
const AMOUNT = /^\d{1,7}(\.\d{1,6})?$/;

/** The text of the field as what is sent; null is no cap, undefined a text that is no amount. */
export function readCapText(text: string): string | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  return AMOUNT.test(trimmed) ? trimmed.replace(/^0+(?=\d)/, '') : undefined;
}

export const CAP_REFUSED = 'Enter dollars, for example 50.00, or nothing for no cap.';
