import { createHash } from 'node:crypto';
import { ApiError, invalid, missing } from './api-error.ts';
import { balanceObject, balanceOf } from './balance.ts';
import type { CardVault } from './cards.ts';
import { canonicalForm, decodeForm, type FormMap } from './form.ts';
import { IdempotencyKeys, type RememberedKey } from './idempotency.ts';
import { accountObject, API_VERSION, chargeObject, intentObject, sessionObject } from './objects.ts';
import { disputeObject, routeDisputes, type Dispute } from './disputes.ts';
import { refundObject, routeRefunds, type Refund } from './refunds.ts';
import { readSessionParams } from './session-params.ts';
import type { Charge, Intent, Session } from './records.ts';
import type { StripeState } from './state.ts';
import type { Switches } from './switches.ts';

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
  readonly body: object;
}

export interface ApiOptions {
  readonly state: StripeState;
  readonly vault: CardVault;
  readonly switches: Switches;
  readonly secretKey: string;
  /** Told of each idempotency key that has its answer. */
  readonly onKey: (key: RememberedKey) => void;
  /** Told of each refund that was asked for. */
  readonly onRefund: (refund: Refund) => void;
}

/** The `/v1` API: one request in, one answer out. Whoever drives it decides about the network around it. */
export class StripeApi {
  readonly #options: ApiOptions;
  readonly #keys: IdempotencyKeys;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#keys = new IdempotencyKeys(options.onKey);
  }

  restore(key: RememberedKey): void {
    this.#keys.restore(key);
  }

  /** `beforeEffect` is awaited once the idempotency key is taken; `stored` replaces what the key will remember. */
  async handle(
    request: ApiRequest,
    hooks: { readonly beforeEffect?: () => Promise<void>; readonly storeFailure?: boolean } = {},
  ): Promise<ApiAnswer> {
    const requestId = this.#options.state.id('req_', 14);
    const key = request.method === 'POST' ? (request.headers['idempotency-key'] ?? null) : null;
    let isKeyTaken = false;
    try {
      this.#authorize(request);
      const form = decodeForm(request.method === 'POST' ? request.body : request.query);
      if (form === null) throw new ApiError(400, 'Invalid request: the parameters contradict each other.');
      if (key !== null) {
        if (key.length > 255) throw new ApiError(400, 'Idempotency keys are at most 255 characters long.');
        const replay = this.#keys.begin(key, fingerprintOf(request, form), requestId);
        if (replay !== null) return { ...replay, headers: { ...replay.headers, 'request-id': requestId } };
        isKeyTaken = true;
      }
      // Not awaited when there is nothing to wait for: requests then run one after the other, and none meets a running one.
      if (hooks.beforeEffect !== undefined) await hooks.beforeEffect();
      const body = this.#route(request, form);
      const done = this.#answer(request, requestId, 200, body);
      const answer = hooks.storeFailure === true ? this.failure(request, requestId) : done;
      if (key !== null) this.#keys.finish(key, answer);
      return answer;
    } catch (error) {
      const answer =
        error instanceof ApiError ? this.#answer(request, requestId, error.status, error.body(requestId)) : null;
      if (isKeyTaken && key !== null) {
        // A declined card is an outcome, and the key repeats it; what was refused before it began is forgotten.
        if (answer !== null && error instanceof ApiError && error.isAfterEffect) this.#keys.finish(key, answer);
        else this.#keys.forget(key);
      }
      if (answer === null) throw error;
      return answer;
    }
  }

  failure(request: ApiRequest, requestId = this.#options.state.id('req_', 14)): ApiAnswer {
    const error = new ApiError(500, 'An unknown error occurred', { type: 'api_error' });
    return this.#answer(request, requestId, 500, error.body(requestId));
  }

  refusal(request: ApiRequest, error: ApiError, headers: Readonly<Record<string, string>> = {}): ApiAnswer {
    const requestId = this.#options.state.id('req_', 14);
    const answer = this.#answer(request, requestId, error.status, error.body(requestId));
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }

  #answer(request: ApiRequest, requestId: string, status: number, body: object): ApiAnswer {
    const key = request.headers['idempotency-key'];
    return {
      status,
      headers: {
        'content-type': 'application/json',
        'request-id': requestId,
        'stripe-version': request.headers['stripe-version'] ?? API_VERSION,
        ...(request.method === 'POST' && key !== undefined ? { 'idempotency-key': key } : {}),
      },
      body,
    };
  }

  #authorize(request: ApiRequest): void {
    const header = request.headers['authorization'] ?? '';
    const [scheme = '', credential = ''] = header.split(' ');
    const key = scheme === 'Basic' ? Buffer.from(credential, 'base64').toString().replace(/:$/, '') : credential;
    if (key === '') {
      throw new ApiError(
        401,
        'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.',
      );
    }
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    if (hash(key) !== hash(this.#options.secretKey)) {
      throw new ApiError(401, `Invalid API Key provided: ${key.slice(0, 8)}****${key.slice(-4)}`);
    }
  }

  #route(request: ApiRequest, form: FormMap): object {
    const { state, vault, switches } = this.#options;
    state.expireDue();
    const { method, path } = request;
    const [, , noun = '', id = '', ...rest] = path.replace(/^\/v1\/checkout\/sessions/, '/v1/sessions').split('/');
    const isUnder = path.startsWith('/v1/checkout/sessions') || noun !== 'sessions';
    const route = isUnder
      ? [method, noun, id === '' ? '' : '{id}', ...rest].filter((part) => part !== '').join(' ')
      : '';
    switch (route) {
      case 'GET account':
        return accountObject(switches.wrong.apiAccount ?? state.accountId);
      case 'POST sessions':
        return this.#session(state.createSession(readSessionParams(form, state.now(), vault.customers)), form, '');
      case 'GET sessions':
        return this.#list(path, form, this.#filterSessions(form), (it) => this.#session(it, form, 'data.'));
      case 'GET sessions {id}':
        return this.#session(find(state.sessions, 'checkout.session', id, 'session'), form, '');
      case 'POST sessions {id} expire':
        return this.#expire(id, form);
      case 'GET payment_intents':
        return this.#list(path, form, this.#filterIntents(form), (it) => this.#intent(it, form, 'data.'));
      case 'GET payment_intents {id}':
        return this.#intent(find(state.intents, 'payment_intent', id, 'intent'), form, '');
      case 'GET charges':
        return this.#list(path, form, this.#filterCharges(form), chargeObject);
      case 'GET charges {id}':
        return chargeObject(find(state.charges, 'charge', id, 'id'));
      case 'GET events':
        return this.#list(path, form, this.#filterEvents(form), eventBody);
      case 'GET events {id}':
        return eventBody(find(state.events, 'event', id, 'id'));
      case 'GET balance_transactions':
        return this.#list(path, form, balanceOf(state, switches), (it) =>
          balanceObject(it, expands(form, 'data.source')),
        );
      default: {
        const list = (all: readonly Refund[]) => this.#list(path, form, all, refundObject);
        const listDisputes = (all: readonly Dispute[]) => this.#list(path, form, all, disputeObject);
        return (
          vault.route(route, id, form) ??
          routeRefunds(state, switches, { route, id, form }, list, this.#options.onRefund) ??
          routeDisputes(state, { route, id, form }, listDisputes) ??
          unknownRoute(method, path)
        );
      }
    }
  }

  #expire(id: string, form: FormMap): object {
    const session = find(this.#options.state.sessions, 'checkout.session', id, 'session');
    if (this.#options.state.expire(session) === 'not_open') {
      throw new ApiError(
        400,
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
      );
    }
    return this.#session(session, form, '');
  }

  #session(session: Session, form: FormMap, prefix: string): object {
    const intent = this.#options.state.intentOf(session);
    if (intent === null || !expands(form, `${prefix}payment_intent`)) return sessionObject(session);
    return { ...sessionObject(session), payment_intent: intentObject(intent) };
  }

  #intent(intent: Intent, form: FormMap, prefix: string): object {
    const charge = intent.chargeId === null ? undefined : this.#options.state.charges.get(intent.chargeId);
    if (charge === undefined || !expands(form, `${prefix}latest_charge`)) return intentObject(intent);
    return { ...intentObject(intent), latest_charge: chargeObject(charge) };
  }

  #filterSessions(form: FormMap): Session[] {
    const { payment_intent: intent, status } = form;
    return [...this.#options.state.sessions.values()].filter(
      (it) => (intent === undefined || it.intentId === intent) && (status === undefined || it.status === status),
    );
  }

  #filterIntents({ customer }: FormMap): Intent[] {
    const all = [...this.#options.state.intents.values()];
    return customer === undefined ? all : all.filter((it) => it.customerId === customer);
  }

  #filterCharges(form: FormMap): Charge[] {
    const intent = form['payment_intent'];
    return [...this.#options.state.charges.values()].filter((it) => intent === undefined || it.intentId === intent);
  }

  #filterEvents(form: FormMap): Array<Parameters<typeof eventBody>[0]> {
    const { type, types, delivery_success: success } = form;
    const wanted = Array.isArray(types) ? types : type === undefined ? null : [type];
    return [...this.#options.state.events.values()].filter(
      (it) =>
        (wanted === null || wanted.includes(it.type)) &&
        (success === undefined || it.isDelivered === (success === 'true')),
    );
  }

  #list<T extends { readonly id: string; readonly created: number }>(
    path: string,
    form: FormMap,
    all: readonly T[],
    render: (it: T) => object,
  ): object {
    const { items, hasMore } = page(form, all);
    return { object: 'list', data: items.map(render), has_more: hasMore, url: path };
  }
}

function unknownRoute(method: string, path: string): never {
  throw new ApiError(
    404,
    `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
  );
}

const fingerprintOf = (request: ApiRequest, form: FormMap): string =>
  createHash('sha256')
    .update(`${request.method} ${request.path} ${canonicalForm(form)}`)
    .digest('hex');

const expands = (form: FormMap, what: string): boolean => {
  const { expand } = form;
  return Array.isArray(expand) && expand.includes(what);
};

function eventBody(event: {
  readonly id: string;
  readonly created: number;
  readonly type: string;
  readonly payload: string;
  isDelivered: boolean;
}): object {
  const body = JSON.parse(event.payload) as object;
  return { ...body, pending_webhooks: event.isDelivered ? 0 : 1 };
}

function find<T>(all: ReadonlyMap<string, T>, noun: string, id: string, param: string): T {
  const found = all.get(id);
  if (found === undefined) throw missing(noun, id, param);
  return found;
}

/** Newest first; `starting_after` goes to older ones, `ending_before` to newer ones and stays next to it. */
function page<T extends { readonly id: string; readonly created: number }>(
  form: FormMap,
  all: readonly T[],
): { items: T[]; hasMore: boolean } {
  const newestFirst = all.filter(createdFilter(form['created'])).toReversed();
  const limit = numberOf(form, 'limit') ?? 10;
  if (limit < 1 || limit > 100) throw invalid('limit', `Invalid limit: ${limit} (must be between 1 and 100)`);
  const place = (name: string): number | null => {
    const id = form[name];
    if (id === undefined) return null;
    const index = newestFirst.findIndex((it) => it.id === id);
    if (index < 0) throw missing('object', canonicalForm(id), name);
    return index;
  };
  const before = place('ending_before');
  if (before !== null) {
    const start = Math.max(0, before - limit);
    return { items: newestFirst.slice(start, before), hasMore: start > 0 };
  }
  const start = (place('starting_after') ?? -1) + 1;
  return { items: newestFirst.slice(start, start + limit), hasMore: start + limit < newestFirst.length };
}

function createdFilter(value: FormMap[string] | undefined): (it: { readonly created: number }) => boolean {
  if (value === undefined) return () => true;
  if (typeof value === 'string') return (it) => it.created === Number(value);
  const bound = (name: string, fits: (created: number, limit: number) => boolean) => {
    const limit = Array.isArray(value) ? null : numberOf(value, name);
    return (created: number): boolean => limit === null || fits(created, limit);
  };
  const tests = [
    bound('gte', (a, b) => a >= b),
    bound('gt', (a, b) => a > b),
    bound('lte', (a, b) => a <= b),
    bound('lt', (a, b) => a < b),
  ];
  return (it) => tests.every((test) => test(it.created));
}

function numberOf(form: FormMap, name: string): number | null {
  const value = form[name];
  if (value === undefined) return null;
  if (typeof value !== 'string' || !/^[0-9]{1,12}$/.test(value))
    throw invalid(name, `Invalid integer: ${canonicalForm(value)}`);
  return Number(value);
}
