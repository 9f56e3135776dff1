import { ApiError, invalid, missing } from './api-error.ts';
import { isMap, type FormMap, type FormValue } from './form.ts';
import type { Metadata, NewSession } from './records.ts';

/** `true`: a text · `'map'`: any texts by name · a list of one: a list of such · else: names and what they hold. */
type Shape = true | 'map' | readonly [Shape] | { readonly [name: string]: Shape };

/** The parameters of this API version that mean something here. `payment_method_types` is gone from it. */
const PARAMS: Shape = {
  mode: true,
  ui_mode: true,
  success_url: true,
  cancel_url: true,
  client_reference_id: true,
  customer: true,
  customer_email: true,
  currency: true,
  allowed_payment_method_types: [true],
  expires_at: true,
  locale: true,
  submit_type: true,
  expand: [true],
  metadata: 'map',
  adaptive_pricing: { enabled: true },
  allow_promotion_codes: true,
  automatic_tax: { enabled: true },
  invoice_creation: { enabled: true },
  payment_intent_data: {
    metadata: 'map',
    description: true,
    receipt_email: true,
    statement_descriptor_suffix: true,
    setup_future_usage: true,
  },
  setup_intent_data: { metadata: 'map', description: true },
  line_items: [
    {
      quantity: true,
      price_data: {
        currency: true,
        unit_amount: true,
        tax_behavior: true,
        product_data: { name: true, description: true, images: [true], metadata: 'map' },
      },
    },
  ],
};

const CENTS_MIN = 50;
const CENTS_MAX = 99_999_999;
const HALF_HOUR = 1_800;
const DAY = 86_400;

/** Reads `POST /v1/checkout/sessions`. Throws ApiError as Stripe would refuse. `customers`: the ids of those that exist. */
export function readSessionParams(
  form: FormMap,
  now: number,
  customers: { readonly has: (id: string) => boolean },
): NewSession {
  refuseUnknown(form, PARAMS, '');
  const mode = text(form, 'mode', '');
  if (mode === null) throw invalid('mode', 'Missing required param: mode.', 'parameter_missing');
  if (mode !== 'payment' && mode !== 'setup') {
    throw invalid('mode', 'This sandbox simulates mode=payment and mode=setup only.');
  }
  const intentData = map(form['payment_intent_data']);
  const customerId = readCustomer(form, customers);
  const usage = text(intentData, 'setup_future_usage', 'payment_intent_data');
  if (usage !== null && customerId === null) {
    throw invalid('customer', 'This sandbox saves a card for a `customer` only.', 'parameter_missing');
  }
  return {
    ...(mode === 'setup' ? readSetup(form) : readItems(form['line_items'])),
    mode,
    customerId,
    savesCard: mode === 'setup' || usage === 'off_session',
    successUrl: requiredUrl(form, 'success_url'),
    cancelUrl: 'cancel_url' in form ? requiredUrl(form, 'cancel_url') : null,
    clientReferenceId: readReference(form),
    metadata: readMetadata(form, 'metadata'),
    intentMetadata: readMetadata(intentData, 'payment_intent_data[metadata]'),
    intentDescription: text(intentData, 'description', 'payment_intent_data'),
    expiresAt: readExpiry(form, now),
  };
}

function readCustomer(form: FormMap, customers: { readonly has: (id: string) => boolean }): string | null {
  const customer = text(form, 'customer', '');
  if (customer === null) return null;
  if ('customer_email' in form) throw invalid('customer', 'You may only specify one of customer, customer_email.');
  if (!customers.has(customer)) throw missing('customer', customer, 'customer');
  return customer;
}

/** A session that saves a card has no items; its methods are named, or its currency is. */
function readSetup(form: FormMap): Pick<NewSession, 'currency' | 'subtotal' | 'productName'> {
  for (const name of ['line_items', 'payment_intent_data']) {
    if (name in form) throw invalid(name, `You can not pass \`${name}\` in \`setup\` mode.`);
  }
  const currency = text(form, 'currency', '');
  if (currency === null && !('allowed_payment_method_types' in form)) {
    throw invalid('currency', 'Missing required param: currency.', 'parameter_missing');
  }
  return { currency: currency ?? 'usd', subtotal: 0, productName: 'Save a card' };
}

function readItems(value: FormValue | undefined): Pick<NewSession, 'currency' | 'subtotal' | 'productName'> {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('line_items', 'You must provide `line_items` in payment mode.', 'parameter_missing');
  }
  let subtotal = 0;
  let currency: string | null = null;
  let productName = '';
  for (const [index, item] of value.entries()) {
    const at = `line_items[${index}]`;
    const price = map(map(item)['price_data']);
    const product = map(price['product_data']);
    const itemCurrency = text(price, 'currency', `${at}[price_data]`)?.toLowerCase() ?? null;
    if (itemCurrency === null || !/^[a-z]{3}$/.test(itemCurrency)) {
      throw invalid(`${at}[price_data][currency]`, `Invalid currency: ${itemCurrency ?? ''}.`);
    }
    if (currency !== null && currency !== itemCurrency) {
      throw invalid('line_items', 'All line items must have the same currency.');
    }
    currency = itemCurrency;
    productName ||= text(product, 'name', `${at}[price_data][product_data]`) ?? '';
    if (productName === '') throw invalid(`${at}[price_data][product_data][name]`, 'Missing required param: name.');
    subtotal += integer(price, 'unit_amount', `${at}[price_data]`) * integer(map(item), 'quantity', at);
  }
  if (subtotal < CENTS_MIN) {
    throw new ApiError(400, "The Checkout Session's total amount due must add up to at least $0.50 usd", {
      code: 'amount_too_small',
    });
  }
  if (subtotal > CENTS_MAX) {
    throw new ApiError(400, "The Checkout Session's total amount must be no more than $999,999.99", {
      code: 'amount_too_large',
    });
  }
  return { currency: currency ?? 'usd', subtotal, productName };
}

function refuseUnknown(value: FormValue, shape: Shape, at: string): void {
  if (shape === true) {
    if (typeof value !== 'string') throw invalid(at, `Invalid string: ${at}`);
    return;
  }
  if (shape === 'map') {
    if (typeof value !== 'string' && !isMap(value)) throw invalid(at, 'Invalid object');
    return;
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) throw invalid(at, 'Invalid array');
    value.forEach((item, index) => refuseUnknown(item, shape[0], `${at}[${index}]`));
    return;
  }
  if (!isMap(value)) throw invalid(at, 'Invalid object');
  for (const [name, inner] of Object.entries(value)) {
    const param = at === '' ? name : `${at}[${name}]`;
    const expected = shape[name];
    if (expected === undefined) throw invalid(param, `Received unknown parameter: ${param}`, 'parameter_unknown');
    refuseUnknown(inner, expected, param);
  }
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

const EMPTY: FormMap = Object.create(null) as FormMap;
const map = (value: FormValue | undefined): FormMap => (isMap(value) ? value : EMPTY);

function text(form: FormMap, name: string, at: string): string | null {
  const value = form[name];
  if (value === undefined) return null;
  const param = at === '' ? name : `${at}[${name}]`;
  if (typeof value !== 'string' || value === '') {
    throw invalid(param, `You passed an empty string for '${param}'.`, 'parameter_invalid_empty');
  }
  return value;
}

function integer(form: FormMap, name: string, at: string): number {
  const param = at === '' ? name : `${at}[${name}]`;
  const value = text(form, name, at);
  if (value === null) throw invalid(param, `Missing required param: ${param}.`, 'parameter_missing');
  if (!/^[0-9]{1,12}$/.test(value)) throw invalid(param, `Invalid integer: ${value}`, 'parameter_invalid_integer');
  return Number(value);
}

function requiredUrl(form: FormMap, name: string): string {
  const value = text(form, name, '');
  if (value === null) throw invalid(name, `Missing required param: ${name}.`, 'parameter_missing');
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) throw invalid(name, 'Not a valid URL', 'url_invalid');
  return value;
}

function readReference(form: FormMap): string | null {
  const value = text(form, 'client_reference_id', '');
  if (value !== null && value.length > 200) {
    throw invalid('client_reference_id', 'Invalid string: must be at most 200 characters', 'parameter_invalid_string');
  }
  return value;
}

function readMetadata(form: FormMap, param: string): Metadata {
  const entries = Object.entries(map(form['metadata'])).map(([key, value]) => {
    if (typeof value !== 'string') throw invalid(`${param}[${key}]`, 'Metadata values must be strings.');
    return [key, value] as const;
  });
  if (entries.length > 50 || entries.some(([key, value]) => key.length > 40 || value.length > 500)) {
    throw invalid(param, 'Metadata has at most 50 keys of 40 characters with 500 characters each.');
  }
  return Object.fromEntries(entries);
}

function readExpiry(form: FormMap, now: number): number | null {
  if (!('expires_at' in form)) return null;
  const at = integer(form, 'expires_at', '');
  if (at < now + HALF_HOUR) {
    throw invalid(
      'expires_at',
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.',
    );
  }
  if (at > now + DAY) {
    throw invalid(
      'expires_at',
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.',
    );
  }
  return at;
}
