import type { Books, Method, Payout, PayoutState, PullPayment } from './books.ts';
import { satsFor } from './coin.ts';

export type NewPullPayment = Pick<
  PullPayment,
  'name' | 'description' | 'currency' | 'amount' | 'approvesClaims' | 'expiresAt' | 'invoiceId'
> & { readonly startsAt: number | null };

export interface Claim {
  readonly destination: string;
  readonly method: Method;
  /** Null: all that is left. */
  readonly amount: number | null;
}

export type ClaimRefusal = 'archived' | 'expired' | 'not-started' | 'overdraft' | 'amount-too-low';

/** Pull payments, the claims that customers make on them, and the payouts that follow. */
export class Refunds {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  create(asked: NewPullPayment): PullPayment {
    const books = this.#books;
    const created = books.now();
    const pullPayment: PullPayment = {
      ...asked,
      id: books.id(27),
      created,
      startsAt: asked.startsAt ?? created,
      archived: false,
    };
    books.pullPayments.set(pullPayment.id, pullPayment);
    const invoice = asked.invoiceId === null ? undefined : books.invoices.get(asked.invoiceId);
    if (invoice !== undefined) books.emitOf(invoice, 'InvoiceRefund', { pullPaymentId: pullPayment.id });
    books.commit({ pullPayments: [pullPayment] });
    return pullPayment;
  }

  leftOf(pullPayment: PullPayment): number {
    const taken = this.#books.payoutsOf(pullPayment).filter((payout) => payout.state !== 'Cancelled');
    return pullPayment.amount - taken.reduce((sum, payout) => sum + payout.amount, 0);
  }

  claim(pullPayment: PullPayment, claim: Claim): Payout | ClaimRefusal {
    const books = this.#books;
    const now = books.now();
    const left = this.leftOf(pullPayment);
    const amount = claim.amount ?? left;
    if (pullPayment.archived) return 'archived';
    if (pullPayment.expiresAt !== null && pullPayment.expiresAt <= now) return 'expired';
    if (pullPayment.startsAt > now) return 'not-started';
    if (amount > left || left === 0) return 'overdraft';
    if (amount <= 0) return 'amount-too-low';
    const payout: Payout = {
      id: books.id(27),
      created: now,
      pullPaymentId: pullPayment.id,
      method: claim.method,
      destination: claim.destination,
      amount,
      sats: null,
      state: 'AwaitingApproval',
    };
    books.payouts.set(payout.id, payout);
    this.#tell('PayoutCreated', payout);
    if (pullPayment.approvesClaims) this.#approve(payout, pullPayment);
    books.commit({ payouts: [payout] });
    return payout;
  }

  approve(payout: Payout): boolean {
    const pullPayment = this.#books.pullPayments.get(payout.pullPaymentId);
    if (payout.state !== 'AwaitingApproval' || pullPayment === undefined) return false;
    this.#approve(payout, pullPayment);
    this.#books.commit({ payouts: [payout] });
    return true;
  }

  /** The wallet sends the coins, or the merchant cancels. What is paid stays paid. */
  move(payout: Payout, state: PayoutState): boolean {
    if (payout.state === 'Completed' || payout.state === 'Cancelled') return false;
    if (state !== 'Cancelled' && payout.state === 'AwaitingApproval') return false;
    payout.state = state;
    this.#tell('PayoutUpdated', payout);
    this.#books.commit({ payouts: [payout] });
    return true;
  }

  /** Nobody can claim any more, and what is not on its way yet stays. */
  archive(pullPayment: PullPayment): void {
    pullPayment.archived = true;
    const waiting = this.#books.payoutsOf(pullPayment).filter((it) => it.state.startsWith('Awaiting'));
    for (const payout of waiting) {
      payout.state = 'Cancelled';
      this.#tell('PayoutUpdated', payout);
    }
    this.#books.commit({ pullPayments: [pullPayment], payouts: waiting });
  }

  #approve(payout: Payout, pullPayment: PullPayment): void {
    const { rateCents } = this.#books.options.switches;
    payout.sats = pullPayment.currency === 'BTC' ? payout.amount : satsFor(payout.amount, rateCents);
    payout.state = 'AwaitingPayment';
    this.#tell('PayoutApproved', payout);
  }

  #tell(type: string, { id, pullPaymentId, state }: Payout): void {
    this.#books.emit(type, { storeId: this.#books.storeId, payoutId: id, pullPaymentId, payoutState: state });
  }
}
