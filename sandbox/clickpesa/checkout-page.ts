import { escape, layout } from '../page.ts';
import { priceText } from './api.ts';
import type { Link, Payment } from './state.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** What a button of the page says to the server. */
export const CHOICES = ['send', 'approve', 'decline', 'hold'] as const;
export type Choice = (typeof CHOICES)[number];

export interface PageFacts {
  readonly nonce: string;
  readonly returnUrl: string | null;
  /** The try that this visitor made last; null: none, or another is to be made. */
  readonly payment: Payment | null;
  /** What is wrong with the number that was given. */
  readonly problem: string | null;
}

/** The hosted checkout: a number, a request on the phone, the result. The phone is a part of the page. */
export function checkoutPage(link: Link, facts: PageFacts): PageAnswer {
  const { payment } = facts;
  const isMoving = payment?.status === 'PROCESSING';
  const body = `
<p class="product" data-testid="product">${escape(link.description)}</p>
<h1 data-testid="amount">${priceText(link.hundredths, link.currency)}</h1>
${payment === null ? numberForm(facts.problem) : statusOf(payment, facts.returnUrl)}`;
  return page(`Pay ${priceText(link.hundredths, link.currency)}`, body, facts, isMoving);
}

export const missingPage = (nonce: string): PageAnswer => ({
  ...page(
    'No such checkout',
    '<h1>There is no such checkout</h1><p>The link is wrong, or the sandbox was restarted without its state.</p>',
    { nonce, returnUrl: null, payment: null, problem: null },
    false,
  ),
  status: 404,
});

function page(title: string, body: string, { nonce }: PageFacts, isMoving: boolean): PageAnswer {
  const head = isMoving ? '<meta http-equiv="refresh" content="1">\n' : '';
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    html: layout({ title, standsInFor: 'the checkout of ClickPesa', nonce, body, head }),
  };
}

function numberForm(problem: string | null): string {
  const alert = problem === null ? '' : `<p class="alert" role="alert" data-testid="problem">${escape(problem)}</p>`;
  return `
${alert}
<form method="post" aria-label="Pay with mobile money">
  <label>Phone number, with 255 in front
    <input name="phone" inputmode="numeric" autocomplete="tel" value="255712000001" required>
  </label>
  <button class="pay" name="choice" value="send" data-testid="send">Send the request to my phone</button>
</form>`;
}

function statusOf(payment: Payment, returnUrl: string | null): string {
  const [title, text] = WORDS[payment.status];
  const phone = payment.status === 'PENDING' ? phoneForm(payment) : '';
  const again =
    payment.status === 'PENDING' || payment.status === 'PROCESSING' ? '' : '<p><a href="?again">Pay again</a></p>';
  const back =
    returnUrl === null
      ? ''
      : `<p><a class="pay" data-testid="back" href="${escape(returnUrl)}">Back to the shop</a></p>`;
  return `
<div role="status" data-testid="status" data-status="${payment.status}">
<h2>${title}</h2>
<p>${text.replace('{phone}', escape(payment.phone))}</p>
</div>
${phone}
${back}
${again}`;
}

const WORDS: Readonly<Record<Payment['status'], readonly [title: string, text: string]>> = {
  PENDING: ['Sent to your phone', 'A request was sent to {phone}. Confirm it there.'],
  PROCESSING: [
    'The payment is being processed',
    'The mobile network is moving the money. This page looks again by itself.',
  ],
  'ON-HOLD': ['The payment is being checked', 'It was taken from {phone} and is held back for now.'],
  SUCCESS: ['Paid', 'The money was taken from {phone}.'],
  SETTLED: ['Paid', 'The money was taken from {phone}.'],
  FAILED: ['Not paid', 'The request to {phone} was declined or ran out. Nothing was taken.'],
  REFUNDED: ['Returned', 'The money went back to {phone}.'],
  REVERSED: ['Returned', 'The money went back to {phone}.'],
};

const phoneForm = ({ phone }: Payment): string => `
<form method="post" aria-label="What happens on the phone">
  <fieldset>
    <legend>On the phone ${escape(phone)}</legend>
    <button class="pay" name="choice" value="approve" data-testid="approve">Enter the PIN: pay</button>
    <button name="choice" value="decline" data-testid="decline">Decline</button>
    <button name="choice" value="hold" data-testid="hold">Pay, and the payment is held back to be checked</button>
  </fieldset>
</form>`;
