import type { Payment, PaymentState } from '../surface.ts';
import type { Tone } from '../ui/banner.tsx';

export interface StateText {
  readonly word: string;
  readonly tone: Tone;
  readonly headline: string;
  readonly explanation: string;
}

/** Every state in the words of the person who paid: where the money is, and what to do, if anything. */
export const STATE_TEXT: Readonly<Record<PaymentState, StateText>> = {
  created: {
    word: 'Starting',
    tone: 'calm',
    headline: 'The payment is being set up',
    explanation: 'We are asking the payment provider for a checkout page. Nothing has been charged.',
  },
  open: {
    word: 'Waiting for you',
    tone: 'warn',
    headline: 'Waiting for your payment',
    explanation:
      'Nothing has been charged so far. Continue to the checkout page to pay. If you have just paid, this page will show it within moments.',
  },
  processing: {
    word: 'On the way',
    tone: 'warn',
    headline: 'The provider is moving the money',
    explanation:
      'The provider has your payment and is still confirming it; some methods take days. There is nothing for you to do: the wallet is credited by itself.',
  },
  credited: {
    word: 'Credited',
    tone: 'good',
    headline: 'The money is in the wallet',
    explanation: 'The provider confirmed the payment and the wallet was credited, exactly once.',
  },
  failed: {
    word: 'Failed',
    tone: 'bad',
    headline: 'No money was taken',
    explanation: 'The payment did not go through, so nothing was credited. You can start a new top-up from the wallet.',
  },
  expired: {
    word: 'Expired',
    tone: 'calm',
    headline: 'The checkout page has expired',
    explanation: 'It was not paid in time. Nothing was charged. You can start a new top-up from the wallet.',
  },
  quarantined: {
    word: 'Under review',
    tone: 'bad',
    headline: 'A person has to look at this payment',
    explanation:
      'What the provider reports does not agree with what was ordered, so it was not credited by itself. The operator sees it and will settle it; your money is not lost. Have the payment number below at hand if you ask.',
  },
};

/** What the provider itself says of a payment under way is nearer to the person than our own words: a phone waits for a PIN. */
export function textOf({ state, progress }: Payment): StateText {
  const text = STATE_TEXT[state];
  return progress === null ? text : { ...text, headline: 'The payment is under way', explanation: progress };
}

/** Whether nothing more happens to it by itself. A payment under review moves only by a person. */
export const isFinal = (payment: Payment): boolean => ['credited', 'failed', 'expired'].includes(payment.state);

/** The server's note on a payment as a sentence: without the word programs go by, with a capital and a full stop. */
export function sentenceOf(problem: string): string {
  const text = problem.replace(/^[a-z]+(_[a-z]+)*: /, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 20_000;
const REVIEW_WAIT_MS = 60_000;

/** How long until the page asks again: quickly at first, when the money usually arrives, then less and less often. */
export function nextLookMs(payment: Payment | undefined, looks: number): number | false {
  if (!payment || isFinal(payment)) return false;
  if (payment.state === 'quarantined') return REVIEW_WAIT_MS;
  return Math.min(LAST_WAIT_MS, Math.round(FIRST_WAIT_MS * 1.4 ** Math.min(looks, 12)));
}
