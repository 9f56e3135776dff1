import type Stripe from 'stripe';
import { z } from 'zod';
import type { Ports } from '../../ports/ports.ts';
import { ProviderFailure } from '../provider.ts';
import { toUnknown } from '../unknown-outcome.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { readSdkError, toProviderFailure } from './failure.ts';
import { refundShape, type RefundParams, type StripeRefund } from './refund.ts';
import { accountShape, isOurSession, sessionShape, type StripeSession } from './map.ts';

export type SessionParams = Stripe.Checkout.SessionCreateParams;

export interface StripeClientOptions {
  readonly secretKey: string;
  /** `https://api.stripe.com`, or a simulator. Only scheme, host and port are used. */
  readonly apiBase: string;
  readonly ports: Ports;
}

export interface SessionPage {
  /** Ours only; newest first, as Stripe lists them. */
  readonly sessions: readonly StripeSession[];
  /** Of the whole page, sessions of other programs included; null: the page is empty. */
  readonly firstId: string | null;
  readonly lastId: string | null;
  readonly hasMore: boolean;
}

export interface StripeClient {
  readAccount(): Promise<string>;
  createSession(params: SessionParams, idempotencyKey: string): Promise<StripeSession>;
  /** Null: Stripe does not know the session. */
  readSession(id: string): Promise<StripeSession | null>;
  /** All refunds of a PaymentIntent, oldest first, whoever made them. None of one that Stripe does not know. */
  listRefunds(intentId: string): Promise<readonly StripeRefund[]>;
  createRefund(params: RefundParams, idempotencyKey: string): Promise<StripeRefund>;
  /** Null: Stripe does not know the refund. */
  readRefund(id: string): Promise<StripeRefund | null>;
  listSessions(
    createdSince: Date,
    page: { readonly olderThan?: string; readonly newerThan?: string },
  ): Promise<SessionPage>;
}

/** From the first byte sent to the last byte read, retries included. */
const DEADLINE_MS = 20_000;
const ATTEMPTS_MAX = 3;
const BACK_OFF_FIRST_MS = 500;
/** A longer wait is the caller's: somebody is looking at a page. */
const RETRY_AFTER_SECONDS_MAX = 3;
const PAGE_SIZE = 100;
/** A payment is refunded a few times; a cent at a time, a large one a thousand times. */
const REFUNDS_MAX = 10_000;
/** The API version the types of the pinned SDK describe. */
const API_VERSION = '2026-10-28.endive';

/** The few calls we make, through the official SDK. Every method throws ProviderFailure and nothing else. */
export function stripeClient(options: StripeClientOptions): StripeClient {
  const call = stripeCaller(options);
  return {
    readAccount: async () => {
      const account = await call('read-account', false, (stripe) => stripe.accounts.retrieveCurrent());
      return checked(accountShape, account, 'none').id;
    },
    createSession: async (params, idempotencyKey) => {
      const session = await call('create-session', true, (stripe) =>
        stripe.checkout.sessions.create(params, { idempotencyKey }),
      );
      return checked(sessionShape, session, 'unknown');
    },
    readSession: async (id) => {
      const session = await call('read-session', false, (stripe) =>
        stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] }).catch(nullWhenMissing),
      );
      return session === null ? null : checked(sessionShape, session, 'none');
    },
    listRefunds: async (intentId) => {
      const refunds: StripeRefund[] = [];
      for (let hasMore = true; hasMore;) {
        const after = refunds.at(-1)?.id;
        const answer = await call('list-refunds', false, (stripe) =>
          stripe.refunds
            .list({
              payment_intent: intentId,
              limit: PAGE_SIZE,
              ...(after === undefined ? {} : { starting_after: after }),
            })
            .catch(nullWhenMissing),
        );
        if (answer === null) return [];
        const list = checked(listShape, answer, 'none');
        refunds.push(...list.data.map((refund) => checked(refundShape, refund, 'none')));
        hasMore = list.has_more && list.data.length > 0;
        if (refunds.length > REFUNDS_MAX)
          throw new ProviderFailure('broken', 'none', "Stripe's list of refunds does not end.");
      }
      return refunds.toReversed();
    },
    createRefund: async (params, idempotencyKey) => {
      const refund = await call('create-refund', true, (stripe) => stripe.refunds.create(params, { idempotencyKey }));
      return checked(refundShape, refund, 'unknown');
    },
    readRefund: async (id) => {
      // Anything else would be put into a path; no refund has such a name.
      if (!/^(re|pyr)_[A-Za-z0-9_]{1,200}$/.test(id)) return null;
      const refund = await call('read-refund', false, (stripe) => stripe.refunds.retrieve(id).catch(nullWhenMissing));
      return refund === null ? null : checked(refundShape, refund, 'none');
    },
    listSessions: async (createdSince, page) => {
      const list = await call('list-sessions', false, (stripe) =>
        stripe.checkout.sessions.list({
          created: { gte: Math.floor(createdSince.getTime() / 1000) },
          limit: PAGE_SIZE,
          expand: ['data.payment_intent'],
          ...(page.olderThan === undefined ? {} : { starting_after: page.olderThan }),
          ...(page.newerThan === undefined ? {} : { ending_before: page.newerThan }),
        }),
      );
      return toSessionPage(list);
    },
  };
}

const listShape = z.object({
  object: z.literal('list'),
  has_more: z.boolean(),
  data: z.array(z.looseObject({ id: z.string() })),
});

function toSessionPage(answer: unknown): SessionPage {
  const list = checked(listShape, answer, 'none');
  return {
    sessions: list.data.filter(isOurSession).map((session) => checked(sessionShape, session, 'none')),
    firstId: list.data[0]?.id ?? null,
    lastId: list.data.at(-1)?.id ?? null,
    hasMore: list.has_more,
  };
}

/** Refuses an answer that is not the object we asked for: money must not depend on a guess. */
export function checked<T>(shape: z.ZodType<T>, answer: unknown, outcome: ProviderFailure['outcome']): T {
  const read = shape.safeParse(answer);
  if (read.success) return read.data;
  const fields = read.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ');
  throw new ProviderFailure('broken', outcome, `Stripe's answer has the wrong shape (${fields}).`);
}

export function nullWhenMissing(error: unknown): null {
  const sdk = readSdkError(error);
  if (sdk?.statusCode === 404 && sdk.code === 'resource_missing') return null;
  throw error;
}

export type StripeCall = <T>(name: string, isWrite: boolean, run: (stripe: Stripe) => Promise<T>) => Promise<T>;

/**
 * One SDK instance a call (0.2 ms): its `fetch` then knows the call's own deadline. The SDK's retries are off, ours
 * wait on the clock port, so that a test or a simulation decides when time passes.
 */
export function stripeCaller({ secretKey, apiBase, ports }: StripeClientOptions): StripeCall {
  const { hostname, port, protocol } = new URL(apiBase);
  const isHttp = protocol === 'http:';
  return async (name, isWrite, run) => {
    await ports.crash.reach(`stripe:before:${name}`);
    // Loaded when first used: a server without Stripe does not pay for it (36 MB, 250 ms).
    const { default: StripeSdk } = await import('stripe');
    const result = await withDeadline(ports, isWrite, (deadline) => {
      const stripe = new StripeSdk(secretKey, {
        apiVersion: API_VERSION,
        host: hostname,
        port: port === '' ? (isHttp ? 80 : 443) : Number(port),
        protocol: isHttp ? 'http' : 'https',
        httpClient: StripeSdk.createFetchHttpClient(boundedFetch(ports.http, deadline)),
        maxNetworkRetries: 0,
        timeout: 2 * DEADLINE_MS,
        telemetry: false,
        appInfo: { name: 'hero-onboarding' },
      });
      return withRetries(ports, isWrite, deadline, () => run(stripe));
    });
    await ports.crash.reach(`stripe:after:${name}`);
    return result;
  };
}

async function withDeadline<T>(ports: Ports, isWrite: boolean, run: (deadline: AbortSignal) => Promise<T>): Promise<T> {
  const request = new AbortController();
  const timer = new AbortController();
  const expiry = ports.clock.sleep(DEADLINE_MS, timer.signal).then((): never => {
    // Woken early by `timer`: the race is over and nobody looks at this rejection.
    const late = new ProviderFailure('timeout', isWrite ? 'unknown' : 'none', 'Stripe did not answer in time.');
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

/** Safe for writes: every attempt carries the same idempotency key. What is answered to a later one says nothing of an earlier one. */
async function withRetries<T>(
  ports: Ports,
  isWrite: boolean,
  deadline: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  let mayBeDone = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      const waitMs = attempt < ATTEMPTS_MAX && !deadline.aborted ? retryWaitMs(error, attempt, ports) : null;
      const failure = toProviderFailure(error, isWrite);
      mayBeDone ||= failure.outcome === 'unknown';
      if (waitMs === null) throw mayBeDone ? toUnknown(failure) : failure;
      await ports.clock.sleep(waitMs, deadline);
    }
  }
}

/** Null: another attempt would not help, or would have to wait for too long. Half of the wait is jitter. */
function retryWaitMs(error: unknown, attempt: number, ports: Ports): number | null {
  const sdk = readSdkError(error);
  if (sdk === null) return null;
  const { statusCode, type, retryAfterSeconds } = sdk;
  const isPassing =
    type === 'StripeConnectionError' || statusCode === 409 || statusCode === 429 || (statusCode ?? 0) >= 500;
  if (!isPassing || (retryAfterSeconds ?? 0) > RETRY_AFTER_SECONDS_MAX) return null;
  const [jitter = 0] = ports.random.bytes(1);
  const backOffMs = BACK_OFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + jitter / 512);
  return Math.max(backOffMs, (retryAfterSeconds ?? 0) * 1000);
}
