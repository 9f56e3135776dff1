import type { Refund, RefundState } from '../surface.ts';
import type { Tone } from '../ui/banner.tsx';

interface StateText {
  readonly word: string;
  readonly tone: Tone;
  readonly explanation: string;
}

/** Every state in the words of the person whose money it is: where it is, and what happens next. */
export const REFUND_TEXT: Readonly<Record<RefundState, StateText>> = {
  awaiting_approval: {
    word: 'Waiting for approval',
    tone: 'warn',
    explanation: 'A second operator must agree. The amount is set aside; after seven days it goes back to the wallet.',
  },
  requested: {
    word: 'Being sent',
    tone: 'warn',
    explanation: 'The amount is set aside, and the provider is asked to send it back.',
  },
  unknown: {
    word: 'No answer yet',
    tone: 'warn',
    explanation: 'The provider has not said whether it was made. We ask until it does; it is never made twice.',
  },
  pending: { word: 'On the way', tone: 'warn', explanation: 'The provider has it. Banks take days.' },
  succeeded: { word: 'Sent back', tone: 'good', explanation: 'The money has left for where it was paid from.' },
  failed: {
    word: 'Not possible',
    tone: 'bad',
    explanation: 'It never left. What was set aside is back in the wallet.',
  },
  returned: {
    word: 'Came back',
    tone: 'bad',
    explanation: 'It had left, and the bank sent it back. It is in the wallet again.',
  },
  rejected: {
    word: 'Rejected',
    tone: 'calm',
    explanation: 'It was not approved. What was set aside is back in the wallet.',
  },
  quarantined: {
    word: 'More than was paid',
    tone: 'bad',
    explanation: 'The provider tells of a refund that is larger than what is left of the payment. Nothing was posted.',
  },
};

const ORIGINS: Readonly<Record<Refund['origin'], string>> = {
  operator: 'by an operator',
  user: 'by the user',
  provider: "in the provider's dashboard",
  rail: 'by the rail itself',
};

export const originOf = ({ origin }: Refund): string => ORIGINS[origin];

/** How long until a page asks again: soon while the provider is about to answer, seldom when nothing is expected. */
export function nextLookMs(refunds: readonly Refund[]): number {
  if (refunds.some(({ state }) => state === 'requested')) return 2_000;
  const isOpen = refunds.some(({ state }) => ['awaiting_approval', 'unknown', 'pending'].includes(state));
  return isOpen ? 5_000 : 60_000;
}
