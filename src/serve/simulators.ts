import path from 'node:path';
import type { Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import { clockFileOf } from './sandbox-clock.ts';
import { startSimulator, type Simulator } from './simulator.ts';

/** What sandbox mode runs beside itself; null where it was told of another, or is not a sandbox. */
export interface Simulators {
  readonly stripe: Simulator | null;
  readonly clickpesa: Simulator | null;
  readonly btcpay: BtcpaySimulator | null;
  readonly forge: ForgeSimulator | null;
  readonly mycelium: Simulator | null;
  readonly provisioner: ProvisionerSimulator | null;
}

export interface BtcpaySimulator extends Simulator {
  readonly storeId: string;
}

export interface ProvisionerSimulator extends Simulator {
  readonly token: string;
}

export interface ForgeSimulator extends Simulator {
  readonly repository: string;
  readonly token: string;
  /** Of the application that people sign in to. */
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Sandbox mode without an address of another simulator brings its own. */
export async function openStripeSimulator(config: Config, ports: Ports): Promise<Simulator | null> {
  const { mode, stripeApiBase, stripeSecretKey: secretKey, stripeWebhookSecret: webhookSecret } = config;
  if (mode !== 'sandbox' || stripeApiBase !== null || secretKey === null || webhookSecret === null) return null;
  const stateFile = path.join(config.dataDir, 'stripe-sandbox.jsonl');
  const signed = ['--webhook-url', `${ownAddress(config)}/webhooks/stripe`, '--webhook-secret', webhookSecret];
  const given = ['--secret-key', secretKey, ...signed, '--state-file', stateFile, ...clockOf(config)];
  return await startSimulator({ name: 'Stripe', folder: 'stripe', given, ports });
}

/** Not beside another Stripe: who brings one brings everything that is to be simulated. */
export async function openClickPesaSimulator(config: Config, ports: Ports): Promise<Simulator | null> {
  const { mode, clickpesaApiUrl, stripeApiBase } = config;
  const { clickpesaClientId: clientId, clickpesaApiKey: apiKey, clickpesaChecksumKey: checksumKey } = config;
  if (mode !== 'sandbox' || clickpesaApiUrl !== null || stripeApiBase !== null) return null;
  if (clientId === null || apiKey === null || checksumKey === null) return null;
  const keys = ['--client-id', clientId, '--api-key', apiKey, '--checksum-key', checksumKey];
  const ways = [
    '--webhook-url',
    `${ownAddress(config)}/webhooks/clickpesa`,
    '--return-url',
    `${config.publicUrl}/wallet`,
  ];
  const stateFile = path.join(config.dataDir, 'clickpesa-sandbox.jsonl');
  const given = [...keys, ...ways, '--state-file', stateFile, ...clockOf(config)];
  return await startSimulator({ name: 'ClickPesa', folder: 'clickpesa', given, ports });
}

const SANDBOX_STORE = 'SandboxStore1111111111';

/** Not beside another Stripe: who brings one brings everything that is to be simulated. */
export async function openBtcpaySimulator(config: Config, ports: Ports): Promise<BtcpaySimulator | null> {
  const { mode, btcpayUrl, stripeApiBase, btcpayApiKey: apiKey, btcpayWebhookSecret: webhookSecret } = config;
  if (mode !== 'sandbox' || btcpayUrl !== null || stripeApiBase !== null) return null;
  if (apiKey === null || webhookSecret === null) return null;
  const stateFile = path.join(config.dataDir, 'btcpay-sandbox.jsonl');
  const signed = ['--webhook-url', `${ownAddress(config)}/webhooks/btcpay`, '--webhook-secret', webhookSecret];
  const store = ['--api-key', apiKey, '--store-id', SANDBOX_STORE];
  const given = [...store, ...signed, '--state-file', stateFile, ...clockOf(config)];
  const simulator = await startSimulator({ name: 'BTCPay Server', folder: 'btcpay', given, ports });
  return { ...simulator, storeId: SANDBOX_STORE };
}

/** They live in the time of the server. */
const clockOf = (config: Config): string[] => ['--clock-file', clockFileOf(config)];

/** Where a program on this machine reaches the server. */
function ownAddress({ listen }: Config): string {
  const host = /^(0\.0\.0\.0|::)$/.test(listen.host) ? '127.0.0.1' : listen.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}

const SANDBOX_REPOSITORY = 'sandbox/usage';

/** Not beside another Stripe: who brings one brings everything that is to be simulated. */
export async function openForgeSimulator(config: Config, ports: Ports): Promise<ForgeSimulator | null> {
  if (config.mode !== 'sandbox' || config.forgeUrl !== null || config.stripeApiBase !== null) return null;
  const secret = (): string => Buffer.from(ports.random.bytes(20)).toString('hex');
  const [token, clientId, clientSecret] = [secret(), secret(), secret()];
  const folder = path.join(config.dataDir, 'forge-sandbox.git');
  const repository = ['--token', token, '--repository', SANDBOX_REPOSITORY, '--folder', folder];
  const signIn = ['--client-id', clientId, '--client-secret', clientSecret];
  const callback = ['--redirect-uri', `${config.publicUrl}/login/forge/callback`];
  const people = ['--people-file', path.join(config.dataDir, 'forge-sandbox-people.jsonl')];
  const given = [...repository, ...signIn, ...callback, ...people, ...clockOf(config)];
  const simulator = await startSimulator({ name: 'Forge', folder: 'forge', given, ports });
  return { ...simulator, repository: SANDBOX_REPOSITORY, token, clientId, clientSecret };
}

/** Not beside another Stripe: who brings one brings everything that is to be simulated. */
export async function openMyceliumSimulator(config: Config, ports: Ports): Promise<Simulator | null> {
  const { mode, myceliumApiUrl, stripeApiBase, dataDir } = config;
  if (mode !== 'sandbox' || myceliumApiUrl !== null || stripeApiBase !== null) return null;
  const given = ['--state-file', path.join(dataDir, 'mycelium-sandbox.jsonl'), ...clockOf(config)];
  return await startSimulator({ name: 'Mycelium', folder: 'mycelium', given, ports });
}

/** Only for who wants VMs from a back end: they come from the pool otherwise. Not beside another Stripe, like the others. */
export async function openProvisionerSimulator(config: Config, ports: Ports): Promise<ProvisionerSimulator | null> {
  const { mode, provisioner, provisionerUrl, stripeApiBase, dataDir } = config;
  if (mode !== 'sandbox' || provisioner !== 'http' || provisionerUrl !== null || stripeApiBase !== null) return null;
  const token = Buffer.from(ports.random.bytes(20)).toString('hex');
  const given = ['--token', token, '--state-file', path.join(dataDir, 'provisioner-sandbox.jsonl'), ...clockOf(config)];
  const simulator = await startSimulator({ name: 'VM', folder: 'provisioner', given, ports });
  return { ...simulator, token };
}
