import { canonicalChecksum, legacyChecksum } from './checksum.ts';
import { amountText, hundredthsOf } from './money.ts';
import { listedPaymentObject, paymentObject, payoutObject } from './objects.ts';
import { statement } from './statement.ts';
import type { ClickPesaState, Payout } from './state.ts';
import type { Switches } from './switches.ts';
import type { SandboxClock, SandboxRandom } from '../ports.ts';

export interface ApiRequest {
  readonly method: string;
  /** Below `/third-parties`, without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiOptions {
  readonly state: ClickPesaState;
  readonly switches: Switches;
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly clientId: string;
  readonly apiKey: string;
  readonly checksumKey: string;
  readonly publicUrl: () => string;
  readonly onPayout: (payout: Payout) => void;
}

/** ClickPesa's "no": thrown by handlers, written as its error body. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TOKEN_MS = 3_600_000;
const NAMES: Readonly<Record<number, string>> = { 400: 'Bad Request', 401: 'Unauthorized', 404: 'Not Found' };

type Body = Readonly<Record<string, unknown>>;

/** `/third-parties`: one request in, one answer out. Whoever drives it decides about the network around it. */
export class ClickPesaApi {
  readonly #options: ApiOptions;
  readonly #tokens = new Map<string, number>();

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  handle(request: ApiRequest): ApiAnswer {
    try {
      return { status: 200, body: this.#route(request) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return this.failure(error);
    }
  }

  failure({ status, message }: ApiError): ApiAnswer {
    const said = this.#options.switches.messages === 'list' ? [message] : message;
    return { status, body: { statusCode: status, message: said, error: NAMES[status] ?? 'Error' } };
  }

  /** As switching checksums on or off in the dashboard does. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  #route(request: ApiRequest): unknown {
    const { method, path } = request;
    if (method === 'POST' && path === '/generate-token') return this.#token(request);
    this.#authorize(request);
    switch (`${method} ${path}`) {
      case 'POST /checkout-link/generate-checkout-url':
        return this.#link(this.#body(request));
      case 'POST /payments/preview-ussd-push-request':
        return this.#preview(this.#body(request));
      case 'POST /payments/initiate-ussd-push-request':
        return this.#push(this.#body(request));
      case 'POST /payouts/create-mobile-money-payout':
        return this.#payout(this.#body(request));
      case 'GET /payments/all':
        return this.#list(request.query, [...this.#options.state.payments.values()], (it) =>
          listedPaymentObject(it, this.#options.switches),
        );
      case 'GET /payouts/all':
        return this.#list(request.query, [...this.#options.state.payouts.values()], payoutObject);
      case 'GET /account/balance':
        return statement(this.#options.state).balances;
      case 'GET /account/statement':
        return statement(this.#options.state, request.query.get('currency') ?? 'TZS');
      default:
        return this.#lookUp(method, path);
    }
  }

  #lookUp(method: string, path: string): unknown {
    const { state, switches } = this.#options;
    const [, noun, reference = '', ...rest] = path.split('/');
    if (method !== 'GET' || rest.length > 0) throw new ApiError(404, `Cannot ${method} ${path}`);
    if (noun === 'payments') {
      const found = state.paymentsOf(reference);
      if (found.length === 0) throw new ApiError(404, `Invalid or missing payment: ${reference}`);
      return found.map((payment) => paymentObject(payment, switches));
    }
    const payout = noun === 'payouts' ? state.payouts.get(reference) : undefined;
    if (payout === undefined) throw new ApiError(404, `Invalid or missing payout: ${reference}`);
    return [payoutObject(payout)];
  }

  #token({ headers }: ApiRequest): object {
    const { clientId, apiKey, clock, random } = this.#options;
    if (headers['client-id'] === undefined || headers['api-key'] === undefined) throw new ApiError(401, 'Unauthorized');
    if (headers['client-id'] !== clientId) throw new ApiError(403, 'Invalid client details');
    if (headers['api-key'] !== apiKey) throw new ApiError(403, 'Invalid or Expired API-Key');
    // With the word in front, as the real one answers.
    const token = `Bearer eyJ${Buffer.from(random.bytes(24)).toString('base64url')}`;
    this.#tokens.set(token, clock.now().getTime() + TOKEN_MS);
    return { success: true, token };
  }

  #authorize({ headers }: ApiRequest): void {
    const until = this.#tokens.get(headers['authorization'] ?? '');
    if (until === undefined || until <= this.#options.clock.now().getTime()) throw new ApiError(401, 'Unauthorized');
  }

  #body({ body }: ApiRequest): Body {
    const parsed = parseObject(body);
    if (parsed === null) throw new ApiError(400, 'Unexpected token in JSON');
    const { switches, checksumKey } = this.#options;
    if (!switches.enforcesChecksum) return parsed;
    const isLegacy = parsed['checksumMethod'] === 'legacy';
    if (isLegacy && !switches.allowsLegacy) throw new ApiError(400, 'Invalid checksum');
    const expected = isLegacy ? legacyChecksum(checksumKey, parsed) : canonicalChecksum(checksumKey, parsed);
    if (parsed['checksum'] !== expected) throw new ApiError(400, 'Invalid checksum');
    return parsed;
  }

  #link(body: Body): object {
    const { state, clientId, publicUrl } = this.#options;
    const { totalPrice, orderCurrency, description } = body;
    if (totalPrice === undefined) throw new ApiError(400, 'Total Price is required');
    const hundredths = hundredthsOf(textOf(totalPrice));
    if (hundredths === null || hundredths === 0) throw new ApiError(400, 'Total Price is not valid');
    if (orderCurrency !== 'USD' && orderCurrency !== 'TZS')
      throw new ApiError(400, 'Order currency must be TZS or USD');
    const reference = this.#newReference(body['orderReference']);
    const said = typeof description === 'string' ? description : 'Payment';
    const link = state.addLink({ reference, currency: orderCurrency, hundredths, description: said });
    return { checkoutLink: `${publicUrl()}/checkout/${link.token}`, clientId };
  }

  #newReference(given: unknown, charactersMax = 100): string {
    if (typeof given !== 'string' || given === '') throw new ApiError(400, 'Order reference is required');
    if (!/^[A-Za-z0-9]+$/.test(given)) throw new ApiError(400, 'Order Reference should be alphanumeric');
    if (given.length > charactersMax) {
      throw new ApiError(400, 'Order Reference should be less than or equal to 20 characters');
    }
    if (this.#options.state.isTaken(given)) {
      throw new ApiError(409, `Order reference ${given} already used: Create a different reference`);
    }
    return given;
  }

  #preview(body: Body): object {
    this.#newReference(body['orderReference'], 20);
    return { activeMethods: [{ name: 'TIGO-PESA', status: 'AVAILABLE', fee: 0 }] };
  }

  #push(body: Body): object {
    const { state, switches } = this.#options;
    const reference = this.#newReference(body['orderReference'], 20);
    const hundredths = hundredthsOf(textOf(body['amount']));
    if (hundredths === null || hundredths === 0) throw new ApiError(400, 'Amount is not valid');
    const payment = state.addPayment(reference, phoneIn(body), { hundredths, currency: 'TZS' });
    state.become(payment, 'PROCESSING');
    return paymentObject(payment, switches);
  }

  #payout(body: Body): object {
    const { state, switches, clock, onPayout } = this.#options;
    const { amount, currency } = body;
    const hundredths = typeof amount === 'number' ? hundredthsOf(String(amount)) : null;
    if (hundredths === null || hundredths === 0) throw new ApiError(400, 'Amount must be a number');
    if (currency !== 'USD' && currency !== 'TZS') throw new ApiError(400, 'Currency must be TZS or USD');
    const phone = phoneIn(body);
    const reference = this.#newReference(body['orderReference'], 20);
    const recent = [...state.payouts.values()].some(
      (it) =>
        it.phone === phone &&
        it.hundredths === hundredths &&
        clock.now().getTime() - Date.parse(it.createdAt) < switches.cooldownMs,
    );
    if (recent) throw new ApiError(429, 'A similar payout was just made: wait 60 seconds');
    const payout = state.addPayout({ reference, phone, hundredths, currency, feeHundredths: switches.payoutFeeCents });
    onPayout(payout);
    return payoutObject(payout);
  }

  #list<
    T extends { readonly reference: string; readonly status: string; readonly createdAt: string; updatedAt: string },
  >(query: URLSearchParams, all: readonly T[], write: (it: T) => object): object {
    const wanted = (name: string, value: string): boolean => !query.has(name) || query.get(name) === value;
    const from = query.get('startDate') ?? '';
    const found = all
      .filter((it) => wanted('orderReference', it.reference) && wanted('status', it.status))
      .filter((it) => it.createdAt.slice(0, 10) >= from)
      .toSorted((one, other) => (sortKey(query, one) < sortKey(query, other) ? -1 : 1));
    const ordered = query.get('orderBy') === 'ASC' ? found : found.toReversed();
    const skip = Number(query.get('skip') ?? 0);
    const limit = Math.min(100, Number(query.get('limit') ?? 20));
    return { data: ordered.slice(skip, skip + limit).map(write), totalCount: found.length };
  }
}

const sortKey = (query: URLSearchParams, it: { readonly createdAt: string; readonly updatedAt: string }): string =>
  query.get('sortBy') === 'updatedAt' ? it.updatedAt : it.createdAt;

/** Text, or the digits of a number: both are taken. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function phoneIn({ phoneNumber }: Body): string {
  if (typeof phoneNumber !== 'string' || !/^255[0-9]{9}$/.test(phoneNumber)) {
    throw new ApiError(400, 'Phone number must start with 255 and have 12 digits');
  }
  return phoneNumber;
}

function parseObject(text: string): Body | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
  } catch {
    return null;
  }
}

export const priceText = (hundredths: number, currency: string): string =>
  currency === 'USD' ? `$${amountText(hundredths)}` : `${amountText(hundredths)} ${currency}`;
