import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ApiError, invalid, missing, problem } from './api-error.ts';
import type { Books, Invoice, Payout, PullPayment } from './books.ts';
import type { Deliveries } from './deliveries.ts';
import type { Invoices } from './invoices.ts';
import { invoiceObject, paymentMethodObjects, payoutObject, pullPaymentObject } from './objects.ts';
import { readClaim, readInvoice, readPayoutState, readPullPayment, readRefund } from './params.ts';
import type { Refunds } from './refunds.ts';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  readonly body: object | null;
}

export interface ApiOptions {
  readonly books: Books;
  readonly invoices: Invoices;
  readonly refunds: Refunds;
  readonly deliveries: Deliveries;
  readonly apiKey: string;
}

interface Asked {
  /** Of the path: stores, invoices, pull-payments and so on. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
}

const INVOICES_MAX = 250;

/** The Greenfield API: one request in, one answer out. Whoever drives it decides about the network around it. */
export class GreenfieldApi {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  handle(request: ApiRequest): ApiAnswer {
    try {
      const body = this.#route(request);
      return answer(200, body);
    } catch (error) {
      if (error instanceof ApiError) return answer(error.status, error.body);
      if (error instanceof z.ZodError) {
        const [issue] = error.issues;
        return answer(422, [{ path: issue?.path.join('.') ?? '', message: issue?.message ?? 'is not valid' }]);
      }
      throw error;
    }
  }

  /** The whole path after `/api/v1`, with the store taken out of it: both spellings of a route lead to one. */
  #route(request: ApiRequest): object | null {
    const { books, invoices } = this.#options;
    const segments = request.path
      .replace(/^\/api\/v1\//, '')
      .split('/')
      .map(decodeURIComponent);
    const isPublic = segments[0] === 'pull-payments' && request.method !== 'DELETE';
    if (segments.join('/') === 'health' && request.method === 'GET') return { synchronized: true };
    if (!isPublic) this.#authorize(request);
    invoices.tick();
    const asked = { query: new URLSearchParams(request.query), body: parse(request.body) };
    if (segments.join('/') === 'server/info' && request.method === 'GET') return serverInfo();
    if (segments[0] !== 'stores') return this.#object(request.method, { ...asked, parts: segments });
    if (segments[1] !== books.options.storeId) throw missing('store');
    if (segments.length === 2 && request.method === 'GET') return this.#store();
    return this.#ofStore(request.method, { ...asked, parts: segments.slice(2) });
  }

  #ofStore(method: string, asked: Asked): object | null {
    const [noun = '', ...rest] = asked.parts;
    if (rest.length > 0 && noun === 'invoices') return this.#object(method, asked);
    switch (`${method} ${[noun, ...rest.slice(1)].join(' ')}`.trim()) {
      case 'POST invoices':
        return this.#createInvoice(asked.body);
      case 'GET invoices':
        return this.#listInvoices(asked.query);
      case 'POST pull-payments':
        return this.#pullPayment(this.#options.refunds.create({ ...readPullPayment(asked.body), invoiceId: null }));
      case 'GET pull-payments':
        return this.#listPullPayments(asked.query);
      case 'GET payouts':
        return this.#payouts([...this.#options.books.payouts.values()], asked.query);
      case 'GET webhooks':
        return this.#options.deliveries.webhooks();
      default:
        throw unrecognised();
    }
  }

  #object(method: string, asked: Asked): object | null {
    const [noun = '', id = '', ...rest] = asked.parts;
    switch (`${method} ${[noun, ...rest].join(' ')}`) {
      case 'GET invoices':
        return this.#invoice(this.#findInvoice(id));
      case 'DELETE invoices':
        this.#options.invoices.archive(this.#findInvoice(id), true);
        return null;
      case 'POST invoices unarchive':
        this.#options.invoices.archive(this.#findInvoice(id), false);
        return this.#invoice(this.#findInvoice(id));
      case 'GET invoices payment-methods':
        return this.#paymentMethods(this.#findInvoice(id), asked.query);
      case 'POST invoices status':
        return this.#mark(this.#findInvoice(id), asked.body);
      case 'POST invoices refund':
        return this.#refund(this.#findInvoice(id), asked.body);
      case 'GET pull-payments':
        return this.#pullPayment(this.#findPullPayment(id));
      case 'DELETE pull-payments':
        this.#options.refunds.archive(this.#findPullPayment(id));
        return null;
      case 'GET pull-payments payouts':
        return this.#payouts(this.#options.books.payoutsOf(this.#findPullPayment(id)), asked.query);
      case 'POST pull-payments payouts':
        return this.#claim(this.#findPullPayment(id), asked.body);
      default:
        return this.#payout(method, rest, noun === 'payouts' ? id : null, asked.body);
    }
  }

  #payout(method: string, rest: readonly string[], id: string | null, body: unknown): object | null {
    const { refunds, books } = this.#options;
    const payout = id === null ? undefined : books.payouts.get(id);
    if (id === null) throw unrecognised();
    if (payout === undefined) throw missing('payout');
    const must = (done: boolean): object => {
      if (!done) throw problem(400, 'invalid-state', 'The payout is in another state');
      return payoutObject(this.#findPullPayment(payout.pullPaymentId), payout);
    };
    switch (`${method} ${rest.join(' ')}`.trim()) {
      case 'GET':
        return must(true);
      case 'POST':
        return must(refunds.approve(payout));
      case 'DELETE':
        return must(refunds.move(payout, 'Cancelled'));
      case 'POST mark-paid':
        return must(refunds.move(payout, 'Completed'));
      case 'POST mark':
        return must(refunds.move(payout, readPayoutState(body)));
      default:
        throw unrecognised();
    }
  }

  #authorize({ headers }: ApiRequest): void {
    const [scheme, key = ''] = (headers['authorization'] ?? '').split(' ');
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    if (scheme !== 'token' || hash(key) !== hash(this.#options.apiKey)) {
      throw problem(401, 'unauthenticated', 'Authentication is required for accessing this endpoint');
    }
  }

  #store(): object {
    return { id: this.#options.books.storeId, name: 'Sandbox', defaultCurrency: 'USD', speedPolicy: 'MediumSpeed' };
  }

  #createInvoice(body: unknown): object {
    const { books, invoices } = this.#options;
    const asked = readInvoice(body);
    if (books.options.switches.isRateMissing) {
      throw problem(
        400,
        'generic-error',
        'Error retrieving a matching payment method or rate.\nBTC_USD: the rate source did not answer',
      );
    }
    return this.#invoice(invoices.create(asked));
  }

  /** Newest first. `orderId` may be given several times. */
  #listInvoices(query: URLSearchParams): object {
    const orderIds = query.getAll('orderId');
    const statuses = query.getAll('status');
    const after = numberIn(query, 'startDate') ?? 0;
    const before = numberIn(query, 'endDate') ?? Number.MAX_SAFE_INTEGER;
    const withArchived = query.get('includeArchived') === 'true';
    const found = [...this.#options.books.invoices.values()]
      .filter((it) => orderIds.length === 0 || orderIds.includes(String(it.metadata['orderId'])))
      .filter((it) => statuses.length === 0 || statuses.includes(it.status))
      .filter((it) => it.created >= after && it.created <= before && (withArchived || !it.archived))
      .toReversed();
    const skip = numberIn(query, 'skip') ?? 0;
    const take = Math.min(numberIn(query, 'take') ?? INVOICES_MAX, INVOICES_MAX);
    const withMethods = query.get('includePaymentMethods') === 'true';
    return found.slice(skip, skip + take).map((it) => ({
      ...this.#invoice(it),
      ...(withMethods ? { paymentMethods: this.#paymentMethods(it, new URLSearchParams()) } : {}),
    }));
  }

  #listPullPayments(query: URLSearchParams): object {
    const withArchived = query.get('includeArchived') === 'true';
    return [...this.#options.books.pullPayments.values()]
      .filter((it) => withArchived || !it.archived)
      .toReversed()
      .map((it) => this.#pullPayment(it));
  }

  #mark(invoice: Invoice, body: unknown): object {
    const { status } = z.object({ status: z.enum(['Settled', 'Invalid']) }).parse(body);
    if (!this.#options.invoices.mark(invoice, status)) {
      throw invalid('status', 'Status can only be marked to invalid or settled within certain conditions.');
    }
    return this.#invoice(invoice);
  }

  #refund(invoice: Invoice, body: unknown): object {
    const isRefundable =
      invoice.status === 'Settled' ||
      invoice.status === 'Invalid' ||
      (invoice.status === 'Expired' && invoice.additional !== 'None');
    if (!isRefundable) throw problem(400, 'non-refundable', 'Cannot refund this invoice');
    const { books, refunds } = this.#options;
    return this.#pullPayment(refunds.create({ ...readRefund(body, invoice, books), invoiceId: invoice.id }));
  }

  #claim(pullPayment: PullPayment, body: unknown): object {
    const payout = this.#options.refunds.claim(pullPayment, readClaim(body, pullPayment));
    if (typeof payout === 'string') throw problem(400, payout, `The claim is refused: ${payout}`);
    return payoutObject(pullPayment, payout);
  }

  #payouts(payouts: readonly Payout[], query: URLSearchParams): object {
    const withCancelled = query.get('includeCancelled') === 'true';
    return payouts
      .filter((it) => withCancelled || it.state !== 'Cancelled')
      .map((it) => payoutObject(this.#findPullPayment(it.pullPaymentId), it));
  }

  #invoice(invoice: Invoice): object {
    return invoiceObject(this.#options.books, this.#options.invoices, invoice);
  }

  #paymentMethods(invoice: Invoice, query: URLSearchParams): object[] {
    const onlyAccounted = query.get('onlyAccountedPayments') !== 'false';
    return paymentMethodObjects(this.#options.books, invoice, { onlyAccounted });
  }

  #pullPayment(pullPayment: PullPayment): object {
    return pullPaymentObject(this.#options.books, pullPayment);
  }

  #findInvoice(id: string): Invoice {
    const invoice = this.#options.books.invoices.get(id);
    if (invoice === undefined) throw missing('invoice');
    return invoice;
  }

  #findPullPayment(id: string): PullPayment {
    const pullPayment = this.#options.books.pullPayments.get(id);
    if (pullPayment === undefined) throw missing('pullpayment');
    return pullPayment;
  }
}

const unrecognised = (): ApiError => new ApiError(404, { code: 'not-found', message: 'There is no such endpoint' });

const answer = (status: number, body: object | null): ApiAnswer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body,
});

const serverInfo = (): object => ({
  version: '2.4.1',
  onion: null,
  supportedPaymentMethods: ['BTC-CHAIN', 'BTC-LN'],
  fullySynched: true,
  syncStatus: [{ paymentMethodId: 'BTC-CHAIN', chainHeight: 880_000, syncHeight: 880_000, available: true }],
});

function numberIn(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  if (!/^[0-9]{1,12}$/.test(text)) throw invalid(name, 'must be a number');
  return Number(text);
}

/** No body at all is an empty object. */
function parse(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw invalid('', 'The body is not JSON');
  }
}
