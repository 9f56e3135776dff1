import type { Config } from '../config.ts';
import { clickpesaApiUrl } from '../config.ts';
import { adminSecretFile } from '../config/sandbox-secrets.ts';

export interface GreetingFacts {
  readonly config: Config;
  readonly version: string;
  readonly url: string;
  readonly database: string;
  /** Null: no simulator was started. */
  readonly simulatorUrl: string | null;
  /** Null: no simulated ClickPesa was started. */
  readonly clickpesaUrl: string | null;
  /** Null: no simulated BTCPay Server was started. */
  readonly btcpayUrl: string | null;
  /** Null: no simulated Forge was started. */
  readonly forgeUrl: string | null;
  /** Null: no simulated Mycelium network was started. */
  readonly myceliumUrl: string | null;
  /** Null: no simulated back end for VMs was started. */
  readonly provisionerUrl: string | null;
}

const MODES = {
  sandbox: 'SANDBOX: all money here is simulated',
  test: "TEST: the provider's test account, no real money",
  production: 'PRODUCTION: real money',
} as const;

/** What whoever started the server needs to know next. Names the place of the secret, never the secret. */
export function greeting(facts: GreetingFacts): string {
  const {
    config,
    version,
    url,
    database,
    simulatorUrl,
    clickpesaUrl,
    btcpayUrl,
    forgeUrl,
    myceliumUrl,
    provisionerUrl,
  } = facts;
  const rows: [string, string][] = [
    ['Pages', url],
    ['API', `${url}/docs`],
    ['Operator', operatorRow(config)],
    ['Database', database],
    ['Stripe', stripeRow(config, simulatorUrl)],
    ['ClickPesa', clickpesaRow(config, clickpesaUrl)],
    ['Crypto', btcpayRow(config, btcpayUrl)],
    ['Forge', forgeRow(config, forgeUrl)],
    ['Mycelium', myceliumRow(config, myceliumUrl)],
    ['VMs', vmRow(config, provisionerUrl)],
  ];
  const shown = rows.map(([label, text]) => `  ${label.padEnd(10)}${text}`).join('\n');
  const next =
    config.mode === 'sandbox'
      ? `Open ${url}, sign in with any name and top up 25 USD.`
      : 'Run hero-onboarding --check-prod-config before real users come.';
  return `\nhero-onboarding ${version} · ${MODES[config.mode]}\n\n${shown}\n\n${next} Ctrl-C stops the server.\n\n`;
}

function operatorRow(config: Config): string {
  if (config.adminSecretUse === 'off') return 'by their own identities; the admin secret is switched off';
  if (config.origins.get('adminSecret') === 'generated') return `the secret is in ${adminSecretFile(config.dataDir)}`;
  return config.adminSecret === null
    ? 'nobody: HERO_ONBOARDING_ADMIN_SECRET is not set'
    : 'the secret is the one of HERO_ONBOARDING_ADMIN_SECRET';
}

function stripeRow(config: Config, simulatorUrl: string | null): string {
  if (simulatorUrl !== null) return `simulated at ${simulatorUrl}`;
  if (config.stripeSecretKey === null) return 'not configured: STRIPE_SECRET_KEY is not set';
  return config.stripeApiBase === null ? 'api.stripe.com' : config.stripeApiBase;
}

function clickpesaRow(config: Config, simulatorUrl: string | null): string {
  if (simulatorUrl !== null) return `simulated at ${simulatorUrl}`;
  const url = clickpesaApiUrl(config);
  return url ?? 'not configured: CLICKPESA_CLIENT_ID and CLICKPESA_API_KEY are not set';
}

function btcpayRow(config: Config, btcpayUrl: string | null): string {
  if (btcpayUrl !== null) return `simulated at ${btcpayUrl}`;
  return config.btcpayUrl ?? 'not configured: BTCPAY_URL is not set';
}

function forgeRow(config: Config, forgeUrl: string | null): string {
  if (forgeUrl !== null) return `simulated at ${forgeUrl}`;
  const { forgeUrl: url, forgeUsageRepository: repository, forgeClientId } = config;
  const uses = [
    ...(repository === null ? [] : [`usage by ${repository}`]),
    ...(forgeClientId === null ? [] : ['people sign in']),
  ];
  if (url === null || uses.length === 0)
    return 'not configured: neither FORGE_USAGE_REPOSITORY nor FORGE_CLIENT_ID is set';
  return `${url}: ${uses.join(', ')}`;
}

function myceliumRow(config: Config, myceliumUrl: string | null): string {
  if (myceliumUrl !== null) return `simulated, with inboxes at ${myceliumUrl}/inbox`;
  return config.myceliumApiUrl ?? 'not configured: MYCELIUM_API_URL is not set';
}

function vmRow(config: Config, simulatorUrl: string | null): string {
  if (config.provisioner === 'pool') return 'from the pool';
  return simulatorUrl === null ? (config.provisionerUrl ?? 'nowhere to come from') : `simulated at ${simulatorUrl}`;
}
