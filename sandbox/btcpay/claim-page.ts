import type { PullPayment } from './books.ts';
import { amountText } from './objects.ts';
import { escape } from '../page.ts';
import { page, type PageAnswer } from './page.ts';
import type { BtcpaySandbox } from './sandbox.ts';

/** The page at `/pull-payments/{id}` where a customer says where the coins are to go. */
export function claimPage(
  sandbox: BtcpaySandbox,
  pullPayment: PullPayment,
  nonce: string,
  refused: string | null,
): PageAnswer {
  const left = sandbox.refunds.leftOf(pullPayment);
  const amount = (units: number): string => escape(`${amountText(pullPayment, units)} ${pullPayment.currency}`);
  const payouts = sandbox.books.payoutsOf(pullPayment);
  const rows = payouts.map((it) => `<dt>${amount(it.amount)}</dt><dd data-testid="payout">${escape(it.state)}</dd>`);
  const isOver =
    pullPayment.archived ||
    (pullPayment.expiresAt !== null && pullPayment.expiresAt <= sandbox.books.now()) ||
    left === 0;
  const form = isOver
    ? '<p data-testid="closed">There is nothing left to claim here.</p>'
    : `<form method="post">
<label>Your address<input name="destination" required value="bcrt1qcustomer" data-testid="destination"></label>
<button class="pay" data-testid="claim">Claim ${amount(left)}</button></form>`;
  const body = `
<p class="product">${escape(pullPayment.name)}</p>
<h1 data-testid="amount">${amount(pullPayment.amount)}</h1>
<p class="product">${escape(pullPayment.description)}</p>
${refused === null ? '' : `<p role="alert" data-testid="refused">The claim was refused: ${escape(refused)}</p>`}
<dl>${rows.join('')}</dl>
${form}`;
  return page(pullPayment.name, body, { nonce });
}
