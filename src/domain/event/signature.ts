import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
/** Within the 24 to 64 bytes that the convention asks for. */
export const SECRET_BYTES = 32;

/** How a secret is told to whoever verifies with it. */
export const secretText = (bytes: Uint8Array): string => `${PREFIX}${Buffer.from(bytes).toString('base64')}`;

export interface Signed {
  readonly id: string;
  /** When it is sent, in whole seconds: a receiver refuses what is older than minutes. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The three headers of Standard Webhooks 1.0.0. Several secrets give several signatures, of which one must fit: a receiver may
 * change over while both are good.
 */
export function webhookHeaders(secrets: readonly string[], { id, timestamp, body }: Signed): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
