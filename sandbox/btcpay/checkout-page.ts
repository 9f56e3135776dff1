import type { Invoice, Payment } from './books.ts';
import { centsText, coinText } from './coin.ts';
import { escape } from '../page.ts';
import { page, type PageAnswer } from './page.ts';
import type { BtcpaySandbox } from './sandbox.ts';

/** What a button of the page says to the server. */
const CHOICES = ['exact', 'half', 'double', 'lightning', 'never', 'confirm', 'revert', 'invalidate'] as const;
type Choice = (typeof CHOICES)[number];

const money = (cents: number, currency: string): string => {
  const [whole = '0', fraction = ''] = centsText(cents).split('.');
  const amount = `${whole}.${fraction.padEnd(2, '0')}`;
  return currency === 'USD' ? `$${amount}` : `${amount} ${currency}`;
};

/** The checkout page at `/i/{invoice}`: what is due, and buttons that pay too little, too much, late or never. */
export function checkoutPage(sandbox: BtcpaySandbox, invoice: Invoice, nonce: string): PageAnswer {
  const { redirectUrl } = invoice;
  const product = invoice.metadata['itemDesc'];
  const body = `
<p class="product" data-testid="product">${escape(typeof product === 'string' ? product : '')}</p>
<h1 data-testid="amount">${escape(money(invoice.amountCents, invoice.currency))}</h1>
${facts(sandbox, invoice)}
${choices(sandbox, invoice)}
${redirectUrl === null ? '' : `<p><a class="plain" data-testid="back" href="${escape(redirectUrl)}">Back to the shop</a></p>`}`;
  return page(`Pay ${money(invoice.amountCents, invoice.currency)}`, body, { nonce, leadsTo: [redirectUrl] });
}

function facts(sandbox: BtcpaySandbox, invoice: Invoice): string {
  const status = invoice.additional === 'None' ? invoice.status : `${invoice.status} · ${invoice.additional}`;
  const due = Math.max(0, sandbox.invoices.dueOf(invoice));
  const rows = [
    ['State', status, 'state'],
    ['Still due', `${coinText(due)} BTC`, 'due'],
    ['Rate', `${money(invoice.rateCents, invoice.currency)} for 1 BTC`, 'rate'],
    ['Pay to', invoice.destinations['BTC-CHAIN'], 'address'],
    ...sandbox.books
      .paymentsOf(invoice)
      .map((it) => ['Received', `${coinText(it.sats)} BTC · ${saidOf(it)}`, 'received']),
  ];
  const row = ([name = '', value = '', id = '']: readonly string[]): string =>
    `<dt>${escape(name)}</dt><dd data-testid="${id}">${escape(value)}</dd>`;
  return `<dl>${rows.map(row).join('')}</dl>`;
}

const saidOf = ({ status, confirmations }: Payment): string =>
  status === 'Processing' ? `waits for blocks, has ${confirmations}` : status === 'Settled' ? 'confirmed' : 'undone';

function choices(sandbox: BtcpaySandbox, invoice: Invoice): string {
  const isOpen = invoice.status === 'New';
  const isOver = invoice.status === 'Expired' || invoice.status === 'Settled';
  const waits = sandbox.books.paymentsOf(invoice).some((payment) => payment.status === 'Processing');
  const button = (choice: Choice, text: string, kind = ''): string =>
    `<button ${kind === '' ? '' : `class="${kind}" `}name="choice" value="${choice}" data-testid="${choice}">${text}</button>`;
  const pay = isOpen ? button('exact', `Pay ${coinText(sandbox.invoices.dueOf(invoice))} BTC`, 'pay') : '';
  const others = [
    ...(isOpen ? [button('lightning', 'Pay by Lightning: final at once')] : []),
    ...(isOpen ? [button('half', 'Pay half of it')] : []),
    ...(isOpen ? [button('double', 'Pay twice as much')] : []),
    ...(isOpen ? [button('never', 'Pay, but no block ever takes it')] : []),
    ...(isOver ? [button('exact', 'Pay all the same, too late or once more')] : []),
    ...(waits ? [button('confirm', 'Find six blocks now')] : []),
    ...(waits ? [button('revert', 'Spend the same coins elsewhere')] : []),
    ...(invoice.status === 'Processing' ? [button('invalidate', 'Give up waiting for blocks')] : []),
  ];
  if (pay === '' && others.length === 0) return '<p data-testid="closed">There is nothing more to do here.</p>';
  return `<form method="post" aria-label="Choose what happens to this invoice">${pay}
<fieldset><legend>${pay === '' ? 'What happens next' : 'Or try another ending'}</legend>${others.join('')}</fieldset></form>`;
}

/** Does what was clicked. Returns where the customer goes; null: stays here. */
export function choose(sandbox: BtcpaySandbox, invoice: Invoice, text: string | null): string | null {
  const choice = CHOICES.find((known) => known === text);
  const whole = sandbox.invoices.totalOf(invoice);
  switch (choice) {
    case 'exact':
    case 'lightning':
      sandbox.pay(invoice, { method: choice === 'exact' ? 'BTC-CHAIN' : 'BTC-LN' });
      break;
    case 'half':
      sandbox.pay(invoice, { sats: Math.ceil(whole / 2) });
      break;
    case 'double':
      sandbox.pay(invoice, { sats: whole * 2 });
      break;
    case 'never':
      sandbox.pay(invoice, { confirms: false });
      break;
    case 'invalidate':
      sandbox.invoices.invalidate(invoice);
      break;
    case 'confirm':
    case 'revert':
      for (const payment of sandbox.books.paymentsOf(invoice).filter((it) => it.status === 'Processing')) {
        if (choice === 'confirm') sandbox.invoices.confirm(payment);
        else sandbox.invoices.revert(payment);
      }
      break;
    case undefined:
      return null;
    default:
      return choice satisfies never;
  }
  const isPaid = invoice.status === 'Processing' || invoice.status === 'Settled';
  return isPaid && invoice.redirectsByItself ? invoice.redirectUrl : null;
}
