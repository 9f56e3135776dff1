import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Random } from '../ports/ports.ts';
import type { Config, Origin } from '../config.ts';
import type { SettingName } from './settings.ts';

/** The secrets sandbox mode makes for itself, and the shape each must have. */
const MADE: readonly { readonly name: SecretName; readonly file: string; readonly prefix: string }[] = [
  { name: 'adminSecret', file: 'admin-secret', prefix: '' },
  { name: 'sessionKey', file: 'session-key', prefix: '' },
  { name: 'encryptionKey', file: 'encryption-key', prefix: '' },
  { name: 'stripeSecretKey', file: 'stripe-secret-key', prefix: 'sk_test_' },
  { name: 'stripeWebhookSecret', file: 'stripe-webhook-secret', prefix: 'whsec_' },
  { name: 'clickpesaClientId', file: 'clickpesa-client-id', prefix: 'ID' },
  { name: 'clickpesaApiKey', file: 'clickpesa-api-key', prefix: 'SK' },
  { name: 'clickpesaChecksumKey', file: 'clickpesa-checksum-key', prefix: 'CHK' },
  { name: 'btcpayApiKey', file: 'btcpay-api-key', prefix: '' },
  { name: 'btcpayWebhookSecret', file: 'btcpay-webhook-secret', prefix: '' },
];
type SecretName =
  | 'adminSecret'
  | 'sessionKey'
  | 'encryptionKey'
  | 'stripeSecretKey'
  | 'stripeWebhookSecret'
  | 'clickpesaClientId'
  | 'clickpesaApiKey'
  | 'clickpesaChecksumKey'
  | 'btcpayApiKey'
  | 'btcpayWebhookSecret';

export const secretsFolder = (dataDir: string): string => path.join(dataDir, 'secrets');
export const adminSecretFile = (dataDir: string): string => path.join(secretsFolder(dataDir), 'admin-secret');

/**
 * Completes a sandbox configuration: what is missing is read from the data folder, or made once and kept there with mode
 * 0600, so that a restart keeps sessions, cursors and scripts working. Any other mode is returned as it is.
 */
export function withSandboxSecrets(config: Config, random: Random): Config {
  if (config.mode !== 'sandbox') return config;
  const origins = new Map<SettingName, Origin>(config.origins);
  const made: Partial<Record<SecretName, string>> = {};
  for (const { name, file, prefix } of MADE) {
    if (config[name] !== null) continue;
    made[name] = readOrMake(secretsFolder(config.dataDir), file, () => `${prefix}${hex(random.bytes(32))}`);
    origins.set(name, 'generated');
  }
  return { ...config, ...made, origins };
}

function readOrMake(folder: string, file: string, make: () => string): string {
  // The folder above is also the way to the database's own folder, which another user owns: only this one is closed.
  mkdirSync(path.dirname(folder), { recursive: true });
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  const target = path.join(folder, file);
  if (!existsSync(target)) writeFileSync(target, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  // A file that was copied here may carry another mode.
  chmodSync(target, 0o600);
  return readFileSync(target, 'utf8').trim();
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
