import type { Delivery, Endpoint } from '../surface.ts';
import type { Tone } from '../ui/banner.tsx';

type Text = readonly [title: string, tone: Tone];

export const DELIVERY_TEXTS: Readonly<Record<Delivery['state'], Text>> = {
  pending: ['On its way', 'warn'],
  delivered: ['Delivered', 'good'],
  failed: ['Given up', 'bad'],
};

/** In words what the stable word of a failed attempt means. */
const ERRORS: Readonly<Record<string, string>> = {
  timeout: 'no answer within 15 seconds',
  connection: 'the connection failed',
  tls: 'the certificate or the handshake failed',
  name_unknown: 'the name could not be looked up',
  address_refused: 'the name leads to an address that is not of the public internet',
  secret_unreadable: 'the secret cannot be opened here: make a new one',
};

export const errorText = (error: string): string => ERRORS[error] ?? error.replaceAll('_', ' ');

/** What was answered last, or why nothing was; null before the first attempt. */
export function lastAnswer({
  last_status: status,
  last_error: error,
}: Pick<Delivery, 'last_status' | 'last_error'>): string | null {
  if (status !== null) return `answered ${status}`;
  return error === null ? null : errorText(error);
}

export function endpointText(endpoint: Endpoint): Text {
  if (endpoint.state === 'active') return endpoint.failing_since === null ? ['Active', 'good'] : ['Failing', 'warn'];
  if (endpoint.reason === 'gone') return ['Off: it answered 410', 'bad'];
  if (endpoint.reason === 'failing') return ['Off: failed for five days', 'bad'];
  return ['Off', 'calm'];
}
