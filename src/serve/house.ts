import { createHmac } from 'node:crypto';
import { clickpesaApiUrl, houseSettings, type Config } from '../config.ts';
import type { AdminSecret } from '../http/context.ts';
import { Clocks } from '../operations/clock/clocks.ts';
import type { House } from '../operations/house.ts';
import { TICKS } from '../jobs/ticks.ts';
import type { MovableClock } from '../ports/movable-clock.ts';
import type { Mailer, Ports } from '../ports/ports.ts';
import { smtpMailer } from '../ports/smtp-mailer.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import { btcpayProvider } from '../providers/btcpay/index.ts';
import { CONFIRMATIONS } from '../providers/btcpay/map.ts';
import { clickPesaProvider } from '../providers/clickpesa/index.ts';
import { stripeProvider } from '../providers/stripe/index.ts';
import { failClosed } from '../store/fail-closed.ts';
import { graphileJobs } from '../store/jobs.ts';
import { openPostingLanes } from '../store/posting-lanes.ts';
import { identityProvidersOf } from './identity-providers.ts';
import { forgeRepository } from '../providers/forge/index.ts';
import type { Messenger } from '../providers/messenger.ts';
import { myceliumMessenger } from '../providers/mycelium/index.ts';
import type { UsageRepository } from '../providers/usage-repository.ts';
import { httpProvisionerOf, provisionersOf } from './provisioners.ts';
import type { Simulator } from './simulator.ts';
import type { BtcpaySimulator, ForgeSimulator, Simulators } from './simulators.ts';
import type { OpenedStore } from './store.ts';

/** What was opened for a house. */
export interface Opened {
  readonly store: OpenedStore;
  readonly simulators: Simulators;
  /** Null: this is no sandbox. */
  readonly movableClock: MovableClock | null;
}

/** Everything operations and jobs may use, from the configuration and what was opened for it. */
export function buildHouse(config: Config, ports: Ports, { store, simulators, movableClock }: Opened): House {
  const { lanes, batchRecordsMax, queueMax } = config;
  const db = failClosed(store.db, ports.log);
  return {
    ports,
    db,
    lanes: openPostingLanes(db, ports, { lanes, batchRecordsMax, queueMax }),
    jobs: graphileJobs(),
    providers: providersOf(config, ports, simulators),
    provisioners: provisionersOf({ db, ports }, httpProvisionerOf(config, ports, simulators.provisioner)),
    identityProviders: identityProvidersOf(config, ports, simulators.forge),
    usageRepository: usageRepositoryOf(config, ports, simulators.forge),
    mailer: mailerOf(config),
    messenger: messengerOf(config, ports, simulators.mycelium),
    movableClock,
    clocks: new Clocks(ports.clock, movableClock),
    ticks: TICKS,
    settings: houseSettings(config),
  };
}

function providersOf(config: Config, ports: Ports, simulators: Simulators): ReadonlyMap<string, PaymentProvider> {
  const providers = new Map<string, PaymentProvider>();
  if (config.stripeSecretKey !== null) {
    const webhookSecrets = {
      current: config.stripeWebhookSecret ?? undefined,
      previous: config.stripeWebhookSecretPrevious ?? undefined,
      previousUntil: config.stripeWebhookSecretPreviousUntil ?? undefined,
    };
    const apiBase = simulators.stripe?.url ?? config.stripeApiBase ?? undefined;
    const accountId = config.stripeAccountId ?? undefined;
    providers.set(
      'stripe',
      stripeProvider({ secretKey: config.stripeSecretKey, webhookSecrets, apiBase, accountId, ports }),
    );
  }
  const clickPesa = clickPesaOf(config, ports, simulators);
  if (clickPesa !== null) providers.set(clickPesa.name, clickPesa);
  const btcpay = btcpayOf(config, ports, simulators.btcpay);
  if (btcpay !== null) providers.set('btcpay', btcpay);
  return providers;
}

function clickPesaOf(config: Config, ports: Ports, simulators: Simulators): PaymentProvider | null {
  const { clickpesaClientId: clientId, clickpesaApiKey: apiKey } = config;
  const apiUrl = simulators.clickpesa?.url ?? clickpesaApiUrl(config);
  if (clientId === null || apiKey === null || apiUrl === null) return null;
  return clickPesaProvider({
    clientId,
    apiKey,
    apiUrl,
    checksumKey: config.clickpesaChecksumKey,
    checksumKeyPrevious: config.clickpesaChecksumKeyPrevious,
    checksumKeyPreviousUntil: config.clickpesaChecksumKeyPreviousUntil,
    checksumMethod: config.clickpesaChecksumMethod,
    isLive: config.mode === 'production',
    ports,
  });
}

function btcpayOf(config: Config, ports: Ports, simulator: BtcpaySimulator | null): PaymentProvider | null {
  const url = simulator?.url ?? config.btcpayUrl;
  const storeId = simulator?.storeId ?? config.btcpayStoreId;
  const { btcpayApiKey: apiKey, mode } = config;
  if (url === null || storeId === null || apiKey === null) return null;
  const webhookSecrets = {
    current: config.btcpayWebhookSecret ?? undefined,
    previous: config.btcpayWebhookSecretPrevious ?? undefined,
    previousUntil: config.btcpayWebhookSecretPreviousUntil ?? undefined,
  };
  const policy = { confirmations: CONFIRMATIONS[config.btcpayConfirmations], lateMinutes: config.btcpayLateMinutes };
  return btcpayProvider({ url, apiKey, storeId, webhookSecrets, isLive: mode === 'production', policy, ports });
}

function mailerOf({ smtpUrl, mailFrom, mode }: Config): Mailer | null {
  if (smtpUrl === null || mailFrom === null) return null;
  return smtpMailer({ url: smtpUrl, from: mailFrom, mustEncrypt: mode === 'production' });
}

/** The simulated one has its own token, of this start alone. */
function messengerOf(config: Config, ports: Ports, simulator: Simulator | null): Messenger | null {
  if (simulator !== null) return myceliumMessenger({ url: simulator.url, inboxUrl: `${simulator.url}/inbox`, ports });
  return config.myceliumApiUrl === null ? null : myceliumMessenger({ url: config.myceliumApiUrl, ports });
}

function usageRepositoryOf(config: Config, ports: Ports, forge: ForgeSimulator | null): UsageRepository | null {
  const { forgeUrl: url, forgeUsageRepository: repository, forgeUsageToken: token, forgeUsageBranch: branch } = config;
  if (forge !== null)
    return forgeRepository({ url: forge.url, repository: forge.repository, token: forge.token, branch, ports });
  if (url === null || repository === null || token === null) return null;
  return forgeRepository({ url, repository, branch, token, ports });
}

/** Both secrets are good at once during a rotation; none where they are switched off. */
export function adminSecretsOf(config: Config): AdminSecret[] {
  if (config.adminSecretUse === 'off') return [];
  return [config.adminSecret, config.adminSecretPrevious]
    .filter((secret) => secret !== null)
    .map((secret) => ({ id: idOfSecret(secret, config.sessionKey ?? ''), secret }));
}

/** The same secret has the same name in every audit row, also once it is the previous one; without the key it cannot be guessed from it. */
const idOfSecret = (secret: string, key: string): string =>
  `adm_${createHmac('sha256', key).update(secret).digest('hex').slice(0, 8)}`;
