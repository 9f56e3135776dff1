import { z } from 'zod';
import { ProviderFailure } from '../provider.ts';
import type { Answer, Ask, Asked } from './call.ts';
import {
  invoiceShape,
  methodShape,
  payoutShape,
  pullPaymentShape,
  storeShape,
  type Invoice,
  type Method,
  type Payout,
  type PullPayment,
} from './shapes.ts';

/** An invoice with its payment methods, and so its payments. */
export interface FullInvoice {
  readonly invoice: Invoice;
  readonly methods: readonly Method[];
}

export interface InvoicePage {
  readonly invoices: readonly FullInvoice[];
  /** Of the whole page, invoices of other programs included. */
  readonly count: number;
}

export interface Greenfield {
  readStore(): Promise<string>;
  createInvoice(body: object): Promise<Invoice>;
  /** Newest first, also those of other programs that use this order id. */
  findInvoices(orderId: string): Promise<readonly Invoice[]>;
  readInvoice(id: string): Promise<Invoice | null>;
  /** Also payments that were undone. */
  readMethods(id: string): Promise<readonly Method[]>;
  /** Newest first. Without payments that were undone. */
  listInvoices(
    window: { readonly since: Date; readonly until: Date },
    page: { readonly skip: number; readonly take: number },
    isOurs: (invoice: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<InvoicePage>;
  invalidate(id: string): Promise<void>;
  createPullPayment(body: object): Promise<PullPayment>;
  readPullPayment(id: string): Promise<PullPayment | null>;
  /** All of the store, newest first. */
  listPullPayments(): Promise<readonly PullPayment[]>;
  archivePullPayment(id: string): Promise<void>;
  /** Also those that were cancelled. */
  listPayouts(pullPaymentId: string): Promise<readonly Payout[]>;
  listStorePayouts(): Promise<readonly Payout[]>;
}

/** How BTCPay Server refuses an invoice for which it has no payment method to offer: no rate came, or no wallet is ready. */
const noMethodShape = z.object({ code: z.literal('generic-error') });

/** The calls we make of the Greenfield API. Every method throws ProviderFailure and nothing else. */
export function greenfield(ask: Ask, storeId: string): Greenfield {
  const ofStore = (path: string): string => `/api/v1/stores/${storeId}${path}`;
  const get = (name: string, path: string, query: Readonly<Record<string, string>> = {}): Asked => ({
    name,
    method: 'GET',
    path,
    query,
  });
  return {
    readStore: async () => must(storeShape, await ask(get('read-store', ofStore('')))).id,
    createInvoice: async (body) => {
      const answer = await ask({ name: 'create-invoice', method: 'POST', path: ofStore('/invoices'), body });
      if (answer.status === 400 && noMethodShape.safeParse(answer.body).success) throw noRate();
      return must(invoiceShape, answer, 'unknown');
    },
    findInvoices: async (orderId) =>
      must(z.array(invoiceShape), await ask(get('find-invoices', ofStore('/invoices'), { orderId }))),
    readInvoice: async (id) => maybe(invoiceShape, await ask(get('read-invoice', ofStore(`/invoices/${id}`)))),
    readMethods: async (id) =>
      must(
        z.array(methodShape),
        await ask(get('read-methods', ofStore(`/invoices/${id}/payment-methods`), { onlyAccountedPayments: 'false' })),
      ),
    listInvoices: async ({ since, until }, { skip, take }, isOurs) => {
      const query = {
        startDate: unixSeconds(since),
        endDate: unixSeconds(until),
        skip: String(skip),
        take: String(take),
        includePaymentMethods: 'true',
      };
      const page = must(looseList, await ask(get('list-invoices', ofStore('/invoices'), query)));
      const invoices = page.filter(isOurs).map((one) => {
        const { paymentMethods, ...invoice } = read(listedShape, one, 'none');
        return { invoice, methods: paymentMethods };
      });
      return { invoices, count: page.length };
    },
    invalidate: async (id) => {
      const body = { status: 'Invalid' };
      must(
        invoiceShape,
        await ask({ name: 'mark', method: 'POST', path: ofStore(`/invoices/${id}/status`), body }),
        'unknown',
      );
    },
    createPullPayment: async (body) => {
      const asked: Asked = { name: 'create-pull-payment', method: 'POST', path: ofStore('/pull-payments'), body };
      return must(pullPaymentShape, await ask(asked), 'unknown');
    },
    readPullPayment: async (id) =>
      maybe(pullPaymentShape, await ask(get('read-pull-payment', `/api/v1/pull-payments/${id}`))),
    listPullPayments: async () =>
      must(
        z.array(pullPaymentShape),
        await ask(get('list-pull-payments', ofStore('/pull-payments'), { includeArchived: 'true' })),
      ),
    archivePullPayment: async (id) => {
      const answer = await ask({ name: 'archive-pull-payment', method: 'DELETE', path: `/api/v1/pull-payments/${id}` });
      if (answer.status >= 300) throw refused(answer);
    },
    listPayouts: async (id) =>
      must(
        z.array(payoutShape),
        await ask(get('list-payouts', `/api/v1/pull-payments/${id}/payouts`, { includeCancelled: 'true' })),
      ),
    listStorePayouts: async () => must(z.array(payoutShape), await ask(get('list-store-payouts', ofStore('/payouts')))),
  };
}

/** Invoices of other programs may have any shape; ours are read strictly, once they are known to be ours. */
const looseList = z.array(z.looseObject({ id: z.string() }));
const listedShape = invoiceShape.extend({ paymentMethods: z.array(methodShape) });

const unixSeconds = (at: Date): string => String(Math.floor(at.getTime() / 1000));

export const noRate = (): ProviderFailure =>
  new ProviderFailure('unavailable', 'none', 'BTCPay Server has no payment method with a rate to offer.');

const refused = ({ status }: Answer): ProviderFailure =>
  new ProviderFailure('refused', 'none', `BTCPay Server refused the call (${status}).`);

/** Null where the object is not known. */
function maybe<T>(shape: z.ZodType<T>, answer: Answer): T | null {
  return answer.status === 404 ? null : must(shape, answer);
}

function must<T>(shape: z.ZodType<T>, answer: Answer, outcome: ProviderFailure['outcome'] = 'none'): T {
  if (answer.status >= 300) throw refused(answer);
  return read(shape, answer.body, outcome);
}

/** Refuses an answer that is not the object we asked for: money must not depend on a guess. */
function read<T>(shape: z.ZodType<T>, body: unknown, outcome: ProviderFailure['outcome']): T {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ');
  throw new ProviderFailure('broken', outcome, `BTCPay Server's answer has the wrong shape (${fields}).`);
}
