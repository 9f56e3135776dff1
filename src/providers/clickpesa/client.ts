import type { Ports } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';
import { checksumOf, type ChecksumMethod, type Payload } from './checksum.ts';
import { openSession, type Ask } from './session.ts';
import {
  checked,
  linkShape,
  listShape,
  paymentShape,
  payoutShape,
  type PaymentRecord,
  type PayoutRecord,
} from './shapes.ts';

export interface ClickPesaClientOptions {
  readonly clientId: string;
  readonly apiKey: string;
  /** Null: requests carry no checksum. */
  readonly checksumKey: string | null;
  readonly checksumMethod: ChecksumMethod;
  readonly apiUrl: string;
  readonly ports: Ports;
}

/** Rows as they came: the lists hold what other programs on the account did, too. */
export type Row = Readonly<Record<string, unknown>> & { readonly orderReference: string };
export interface RowPage {
  readonly rows: readonly Row[];
  readonly totalCount: number;
}

/** The few calls we make. Each throws ProviderFailure and nothing else. */
export interface ClickPesaApi {
  /** The page to pay on; null: the reference was used before, maybe by us. */
  createLink(link: Payload): Promise<string | null>;
  /** Every try to pay under a reference; empty: it was never tried, or ClickPesa does not know it. */
  readPayments(reference: string): Promise<PaymentRecord[]>;
  listPayments(query: Readonly<Record<string, string>>): Promise<RowPage>;
  /** Null: the reference was used before. */
  createPayout(payout: Payload): Promise<PayoutRecord | null>;
  readPayout(reference: string): Promise<PayoutRecord | null>;
  listPayouts(query: Readonly<Record<string, string>>): Promise<RowPage>;
}

/** From the first byte sent to the last byte read, tries included. */
const DEADLINE_MS = 20_000;

export type WithClickPesa = <T>(name: string, isWrite: boolean, work: (api: ClickPesaApi) => Promise<T>) => Promise<T>;

/** Runs some calls under one deadline, with crash points around them. Builds nothing and connects to nothing before. */
export function clickPesaClient(options: ClickPesaClientOptions): WithClickPesa {
  const { ports } = options;
  const ask = openSession(options);
  const sealed = (payload: Payload): string => JSON.stringify(withChecksum(options, payload));
  return async (name, isWrite, work) => {
    await ports.crash.reach(`clickpesa:before:${name}`);
    const result = await withDeadline(ports, isWrite, (deadline) => work(apiOf(ask, sealed, deadline)));
    await ports.crash.reach(`clickpesa:after:${name}`);
    return result;
  };
}

function withChecksum({ checksumKey, checksumMethod }: ClickPesaClientOptions, payload: Payload): Payload {
  if (checksumKey === null) return payload;
  const checksum = checksumOf(checksumMethod, checksumKey, payload);
  return checksumMethod === 'legacy' ? { ...payload, checksum, checksumMethod } : { ...payload, checksum };
}

function apiOf(ask: Ask, sealed: (payload: Payload) => string, deadline: AbortSignal): ClickPesaApi {
  const read = (path: string) => ask({ method: 'GET', path, isWrite: false }, deadline);
  const write = (path: string, payload: Payload) =>
    ask({ method: 'POST', path, body: sealed(payload), isWrite: true }, deadline);
  const list = async (path: string, query: Readonly<Record<string, string>>): Promise<RowPage> => {
    const { status, body } = await read(`${path}?${new URLSearchParams(query)}`);
    if (status !== 200) throw new ProviderFailure('broken', 'none', `ClickPesa does not list (${status}).`);
    const { data, totalCount } = checked(listShape, body, 'none');
    return { rows: data, totalCount };
  };
  return {
    createLink: async (link) => {
      const { status, body } = await write('/checkout-link/generate-checkout-url', link);
      if (status === 404) throw new ProviderFailure('refused', 'none', 'ClickPesa does not know this application.');
      return status === 409 ? null : checked(linkShape, body, 'unknown').checkoutLink;
    },
    readPayments: async (reference) => {
      const { status, body } = await read(`/payments/${reference}`);
      if (status === 404) return [];
      const records = checked(paymentShape.array(), body, 'none');
      return records.map((record) => expectReference(record, reference));
    },
    listPayments: (query) => list('/payments/all', query),
    createPayout: async (payout) => {
      const { status, body } = await write('/payouts/create-mobile-money-payout', payout);
      if (status === 404) throw new ProviderFailure('refused', 'none', 'ClickPesa does not know this application.');
      return status === 409 ? null : checked(payoutShape, body, 'unknown');
    },
    readPayout: async (reference) => {
      const { status, body } = await read(`/payouts/${reference}`);
      if (status === 404) return null;
      const [record] = checked(payoutShape.array(), Array.isArray(body) ? body : [body], 'none');
      return record === undefined ? null : expectReference(record, reference);
    },
    listPayouts: (query) => list('/payouts/all', query),
  };
}

function expectReference<R extends { readonly orderReference: string }>(record: R, reference: string): R {
  if (record.orderReference === reference) return record;
  throw new ProviderFailure('broken', 'none', 'ClickPesa answered with another order.');
}

async function withDeadline<T>(ports: Ports, isWrite: boolean, run: (deadline: AbortSignal) => Promise<T>): Promise<T> {
  const request = new AbortController();
  const timer = new AbortController();
  const expiry = ports.clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
    // Woken early by `timer`: the race is over and nobody looks at this rejection.
    const late = new ProviderFailure('timeout', isWrite ? 'unknown' : 'none', 'ClickPesa did not answer in time.');
    request.abort(late);
    throw late;
  });
  expiry.catch(() => undefined);
  try {
    return await Promise.race([run(request.signal), expiry]);
  } finally {
    timer.abort('answered');
  }
}
