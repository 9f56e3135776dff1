import { escape, layout } from '../page.ts';
import { TEST_CARDS } from './cards.ts';
import type { Session } from './records.ts';

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** What a button of the page says to the server. */
export const CHOICES = ['pay', 'decline', 'later-succeeds', 'later-fails', 'cancel'] as const;
export type Choice = (typeof CHOICES)[number];

/** The hosted checkout page. Works without script; `nonce` allows its one style sheet and nothing else. */
export function checkoutPage(
  session: Session,
  facts: { readonly nonce: string; readonly declined: boolean },
): PageAnswer {
  const { nonce, declined } = facts;
  const body =
    session.status !== 'open'
      ? closed(session)
      : session.mode === 'setup'
        ? setupForm(session)
        : payForm(session, declined);
  return {
    status: 200,
    headers: pageHeaders(nonce, session),
    html: layout({
      title: session.mode === 'setup' ? 'Save a card' : `Pay ${amountText(session)}`,
      standsInFor: 'Stripe Checkout',
      nonce,
      body,
    }),
  };
}

export function missingPage(nonce: string): PageAnswer {
  const body = '<h1>There is no such checkout</h1><p>The link is wrong, or the sandbox was restarted since.</p>';
  return {
    status: 404,
    headers: pageHeaders(nonce, null),
    html: layout({ title: 'No such checkout', standsInFor: 'Stripe Checkout', nonce, body }),
  };
}

/** Where the customer goes after the choice, with Stripe's placeholder filled in. */
export const returnUrl = (url: string, session: Session): string => url.replaceAll('{CHECKOUT_SESSION_ID}', session.id);

function pageHeaders(nonce: string, session: Session | null): Record<string, string> {
  const urls = session === null ? [] : [session.successUrl, session.cancelUrl];
  // Chromium applies form-action to the redirect after the form too, so the merchant's origins belong in it.
  const origins = new Set(urls.flatMap((url) => (url === null ? [] : [new URL(url.replaceAll(/[{}]/g, '')).origin])));
  const formAction = ["'self'", ...origins].join(' ');
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

function payForm(session: Session, declined: boolean): string {
  const alert = declined
    ? '<p class="alert" role="alert" data-testid="declined">Your card was declined. Nothing was charged; you can try again.</p>'
    : '';
  const cancel =
    session.cancelUrl === null
      ? ''
      : '<button class="plain" name="choice" value="cancel" data-testid="cancel">Cancel and go back</button>';
  return `
<p class="product" data-testid="product">${escape(session.productName)}</p>
<h1 data-testid="amount">${amountText(session)}</h1>
${lines(session)}
${alert}
<form method="post" aria-label="Choose what happens to this payment">
  ${cardChoice(session)}
  <button class="pay" name="choice" value="pay" data-testid="pay">Pay ${amountText(session)}</button>
  <fieldset>
    <legend>Or try another ending</legend>
    <button name="choice" value="decline" data-testid="decline">Decline the card</button>
    <button name="choice" value="later-succeeds" data-testid="pay-later">Pay later: the money arrives after a while</button>
    <button name="choice" value="later-fails" data-testid="pay-later-fails">Pay later: the money never arrives</button>
    ${cancel}
  </fieldset>
</form>`;
}

/** The cards to try; what they do once they are saved is in their names. */
function cardChoice(session: Session): string {
  const options = Object.entries(TEST_CARDS).map(([name, { label }]) => `<option value="${name}">${label}</option>`);
  const note =
    session.savesCard && session.mode === 'payment'
      ? '<p class="product" data-testid="saves">The card is saved for later payments.</p>'
      : '';
  return `<label for="card">Card</label><select id="card" name="card" data-testid="card">${options.join('')}</select>${note}`;
}

function setupForm(session: Session): string {
  const cancel =
    session.cancelUrl === null
      ? ''
      : '<button class="plain" name="choice" value="cancel" data-testid="cancel">Cancel and go back</button>';
  return `
<h1 data-testid="amount">Save a card</h1>
<p class="product" data-testid="product">Nothing is charged now.</p>
<form method="post" aria-label="Choose the card to save">
  ${cardChoice(session)}
  <button class="pay" name="choice" value="pay" data-testid="pay">Save this card</button>
  ${cancel}
</form>`;
}

function lines(session: Session): string {
  if (session.tax === 0 && session.discount === 0) return '';
  const row = (name: string, cents: number): string => `<dt>${name}</dt><dd>${money(cents, session.currency)}</dd>`;
  return `<dl>${row('Subtotal', session.subtotal)}${row('Discount', -session.discount)}${row('Tax', session.tax)}</dl>`;
}

function closed(session: Session): string {
  const [title, text, url] =
    session.status === 'expired'
      ? [
          'This checkout has expired',
          'Nothing was charged. Start a new payment where you came from.',
          session.cancelUrl,
        ]
      : session.mode === 'setup'
        ? ['The card is saved', 'Nothing was charged.', session.successUrl]
        : session.paymentStatus === 'paid'
          ? ['This is already paid', 'You were charged once. There is nothing more to do.', session.successUrl]
          : ['This payment is under way', 'The bank has been told; the money has not arrived yet.', session.successUrl];
  const back =
    url === null
      ? ''
      : `<p><a class="pay" data-testid="back" href="${escape(returnUrl(url, session))}">Back to the shop</a></p>`;
  return `<h1 data-testid="closed">${title}</h1><p>${text}</p>${back}`;
}

const amountText = (session: Session): string =>
  money(session.subtotal - session.discount + session.tax, session.currency);

/** Exact: the cents are cut into text, never divided. */
function money(cents: number, currency: string): string {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  const amount = `${cents < 0 ? '−' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return currency === 'usd' ? `$${amount}` : `${amount} ${currency.toUpperCase()}`;
}
