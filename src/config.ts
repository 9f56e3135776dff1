import { existsSync } from 'node:fs';
import path from 'node:path';
import { formatDecimal } from './domain/money.ts';
import type { Issuer } from './domain/receipt/receipt.ts';
import type { HouseSettings } from './operations/house.ts';
import { ConfigError, givenText, readValues, type Environment } from './config/read.ts';
import { SETTINGS, type SettingName, type Values } from './config/settings.ts';

export type Mode = 'sandbox' | 'test' | 'production';

/** Everything the server was told, checked. Built once; nothing else reads the environment. */
export interface Config extends Values {
  readonly mode: Mode;
  /** Without a slash at the end. */
  readonly publicUrl: string;
  /** Where each value came from, for `--print-config`. */
  readonly origins: ReadonlyMap<SettingName, Origin>;
}

export type Origin = 'environment' | 'default' | 'derived' | 'generated' | 'absent';

/** The process environment, after the `.env` file of the working folder. What is already in the environment wins. */
export function processEnvironment(): Environment {
  const file = path.resolve('.env');
  if (existsSync(file)) process.loadEnvFile(file);
  return process.env;
}

/**
 * Reads and cross-checks the whole configuration.
 *
 * Throws: {@link ConfigError} with one sentence for every problem. Secrets that sandbox mode makes itself are still
 * absent here; `withSandboxSecrets` adds them.
 */
export function readConfig(env: Environment): Config {
  const values = readValues(env, { showValues: true });
  const problems = contradictions(values);
  const mode = modeOf(values);
  if (mode === null) {
    problems.push(isLiveKey(values.stripeSecretKey) ? LIVE_KEY_WITHOUT_MODE : KEY_OF_UNKNOWN_KIND_WITHOUT_MODE);
  }
  if (mode === null || problems.length > 0) throw new ConfigError(problems);
  const config: Config = {
    ...values,
    mode,
    publicUrl: values.publicUrl ?? addressOf(values.listen),
    origins: originsOf(env, values),
  };
  const modeProblems = problemsOfMode(config);
  if (modeProblems.length > 0) throw new ConfigError(modeProblems);
  return config;
}

const LIVE_KEY_WITHOUT_MODE =
  'STRIPE_SECRET_KEY is a live key but HERO_ONBOARDING_MODE is not set: real money is never a default, so set HERO_ONBOARDING_MODE to production if you mean it.';

const KEY_OF_UNKNOWN_KIND_WITHOUT_MODE =
  'CLICKPESA_API_KEY is set but HERO_ONBOARDING_MODE is not: such a key does not tell whether its money is real, so say test or production.';

const isLiveKey = (key: string | null): boolean => key !== null && /^(sk|rk)_live_/.test(key);

/** Null: a live key, or one that does not tell, without an explicit mode. */
export function modeOf(values: Values): Mode | null {
  if (values.mode !== null) return values.mode;
  if (values.stripeSecretKey === null && values.clickpesaApiKey !== null) return null;
  // BTCPay Server has no test keys; with real coins nothing is credited in test mode.
  if (values.stripeSecretKey === null) return values.btcpayUrl === null ? 'sandbox' : 'test';
  return isLiveKey(values.stripeSecretKey) ? null : 'test';
}

/** Values that are each right and do not fit together. */
export function contradictions(values: Values): string[] {
  const problems: string[] = [];
  const { topUpMin, topUpMax } = values;
  if (topUpMin > topUpMax) {
    problems.push(`${SETTINGS.topUpMin.env} is above ${SETTINGS.topUpMax.env}: nobody could pay anything in.`);
  }
  const outside = values.topUpPresets.find((preset) => preset < topUpMin || preset > topUpMax);
  if (outside !== undefined) {
    problems.push(
      `${SETTINGS.topUpPresets.env} offers ${formatDecimal(outside)}, which is outside ${formatDecimal(topUpMin)} to ${formatDecimal(topUpMax)}.`,
    );
  }
  if ((values.stripeWebhookSecretPrevious === null) !== (values.stripeWebhookSecretPreviousUntil === null)) {
    problems.push(
      'STRIPE_WEBHOOK_SECRET_PREVIOUS and STRIPE_WEBHOOK_SECRET_PREVIOUS_UNTIL must be set together: a previous secret has an end.',
    );
  }
  if ((values.clickpesaChecksumKeyPrevious === null) !== (values.clickpesaChecksumKeyPreviousUntil === null)) {
    problems.push(
      'CLICKPESA_CHECKSUM_KEY_PREVIOUS and CLICKPESA_CHECKSUM_KEY_PREVIOUS_UNTIL must be set together: a previous key has an end.',
    );
  }
  if ((values.clickpesaClientId === null) !== (values.clickpesaApiKey === null)) {
    problems.push('CLICKPESA_CLIENT_ID and CLICKPESA_API_KEY must be set together.');
  }
  if (new Set([values.btcpayUrl, values.btcpayApiKey, values.btcpayStoreId].map((value) => value === null)).size > 1) {
    problems.push('BTCPAY_URL, BTCPAY_API_KEY and BTCPAY_STORE_ID must be set together.');
  }
  if ((values.btcpayWebhookSecretPrevious === null) !== (values.btcpayWebhookSecretPreviousUntil === null)) {
    problems.push(
      'BTCPAY_WEBHOOK_SECRET_PREVIOUS and BTCPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL must be set together: a previous secret has an end.',
    );
  }
  if (values.migrationDatabaseUrl !== null && values.databaseUrl === null) {
    problems.push(
      'HERO_ONBOARDING_MIGRATION_DATABASE_URL is set but DATABASE_URL is not: the embedded database needs neither.',
    );
  }
  if ((values.forgeUsageRepository === null) !== (values.forgeUsageToken === null)) {
    problems.push('FORGE_USAGE_REPOSITORY and FORGE_USAGE_TOKEN must be set together.');
  }
  if (values.forgeUsageRepository !== null && values.forgeUrl === null) {
    problems.push('FORGE_USAGE_REPOSITORY is set but FORGE_URL is not: which Forge is it on?');
  }
  if ((values.forgeClientId === null) !== (values.forgeClientSecret === null)) {
    problems.push('FORGE_CLIENT_ID and FORGE_CLIENT_SECRET must be set together.');
  }
  if (values.forgeClientId !== null && values.forgeUrl === null) {
    problems.push('FORGE_CLIENT_ID is set but FORGE_URL is not: which Forge knows it?');
  }
  if (
    new Set([values.oidcIssuer, values.oidcClientId, values.oidcClientSecret].map((value) => value === null)).size > 1
  ) {
    problems.push('OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set together.');
  }
  if ((values.provisionerUrl === null) !== (values.provisionerToken === null)) {
    problems.push('HERO_ONBOARDING_PROVISIONER_URL and HERO_ONBOARDING_PROVISIONER_TOKEN must be set together.');
  }
  if ((values.smtpUrl === null) !== (values.mailFrom === null)) {
    problems.push('HERO_ONBOARDING_SMTP_URL and HERO_ONBOARDING_MAIL_FROM must be set together.');
  }
  if ((values.taxName === null) !== (values.taxPercent === null)) {
    problems.push('HERO_ONBOARDING_TAX_NAME and HERO_ONBOARDING_TAX_PERCENT must be set together.');
  }
  if (values.encryptionKeyPrevious !== null && values.encryptionKey === null) {
    problems.push('HERO_ONBOARDING_ENCRYPTION_KEY_PREVIOUS is set but HERO_ONBOARDING_ENCRYPTION_KEY is not.');
  }
  if (values.lanes + 2 > values.databasePoolMax) {
    problems.push(
      `${SETTINGS.lanes.env} must leave at least two of the ${SETTINGS.databasePoolMax.env} connections free.`,
    );
  }
  return problems;
}

const CLICKPESA_API = 'https://api.clickpesa.com/third-parties';

/** Where mobile money is asked for; null: it is not configured, or the server's own simulator is to be asked. */
export function clickpesaApiUrl(config: Config): string | null {
  if (config.clickpesaClientId === null || config.clickpesaApiKey === null) return null;
  return config.clickpesaApiUrl ?? (config.mode === 'production' ? CLICKPESA_API : null);
}

function problemsOfMode(config: Config): string[] {
  const problems: string[] = [];
  if (config.mode !== 'production' && isLiveKey(config.stripeSecretKey)) {
    problems.push(
      `STRIPE_SECRET_KEY is a live key but HERO_ONBOARDING_MODE is ${config.mode}: only production may move real money.`,
    );
  }
  if (config.mode === 'test' && config.clickpesaApiKey !== null && config.clickpesaApiUrl === null) {
    problems.push(
      'CLICKPESA_API_URL is not set: ClickPesa publishes no address for tests, so test mode has to be told one.',
    );
  }
  if (config.mode !== 'sandbox' && config.provisioner === 'http' && config.provisionerUrl === null) {
    problems.push('HERO_ONBOARDING_PROVISIONER is http but HERO_ONBOARDING_PROVISIONER_URL is not set.');
  }
  if (config.mode !== 'sandbox' && config.sessionKey === null) {
    problems.push(
      `HERO_ONBOARDING_SESSION_KEY is not set: ${config.mode} mode needs one, for example from \`openssl rand -base64 32\`.`,
    );
  }
  return problems;
}

function addressOf({ host, port }: Values['listen']): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function originsOf(env: Environment, values: Values): Map<SettingName, Origin> {
  const origins = new Map<SettingName, Origin>();
  for (const [key, setting] of Object.entries(SETTINGS)) {
    // The keys of SETTINGS are exactly the setting names.
    const name = key as SettingName;
    if (givenText(env, setting.env) !== null) origins.set(name, 'environment');
    else if (name === 'mode' || name === 'publicUrl') origins.set(name, 'derived');
    else origins.set(name, values[name] === null ? 'absent' : 'default');
  }
  return origins;
}

function issuerOf(config: Config): Issuer {
  const { businessName, businessAddress, businessTaxNumber, taxName, taxPercent, publicUrl } = config;
  return {
    name: businessName ?? new URL(publicUrl).host,
    address: (businessAddress ?? '')
      .split('|')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    taxNumber: businessTaxNumber,
    tax: taxName === null || taxPercent === null ? null : { name: taxName, basisPoints: BigInt(taxPercent) },
  };
}

/** The slice of the configuration that operations read. Throws if the session key is still missing (a bug in the start). */
export function houseSettings(config: Config): HouseSettings {
  if (config.sessionKey === null) throw new Error('the session key must be known before the house is built');
  return {
    mode: config.mode,
    publicUrl: config.publicUrl,
    topUpMin: config.topUpMin,
    topUpMax: config.topUpMax,
    topUpPresets: config.topUpPresets,
    openPaymentsMax: config.openPaymentsMax,
    holdMax: config.holdMax,
    isRefundSelfService: config.refundSelfService === 'on',
    refundWindowDays: config.refundWindowDays,
    refundSpent: config.refundSpent,
    refundApprovalAbove: config.refundApprovalAbove,
    usageOwedMax: config.usageOwedMax,
    lowBalance: config.lowBalance,
    provisioner: config.provisioner,
    warningHours: config.warningHours,
    graceHours: config.graceHours,
    suspendedDays: config.suspendedDays,
    rescueHours: config.rescueHours,
    planMissedPeriods: config.planMissedPeriods,
    disputeFreeze: config.disputeFreeze,
    leaseMax: config.leaseMax,
    leaseSecondsMax: config.leaseSecondsMax,
    sessionHours: config.sessionHours,
    sessionIdleMinutes: config.sessionIdleMinutes,
    hasAdminSecret: config.adminSecretUse === 'on' && config.adminSecret !== null,
    financeDailyLimit: config.financeDailyLimit,
    trustedProxies: config.trustedProxies ?? [],
    operators: config.operators ?? [],
    roleClaims: {
      forge: config.forgeRoles === null ? null : { claim: 'groups', values: config.forgeRoles },
      oidc: config.oidcRoles === null ? null : { claim: config.oidcRoleClaim, values: config.oidcRoles },
    },
    encryptionKeys: [config.encryptionKey, config.encryptionKeyPrevious].filter((key) => key !== null),
    endpointNetworks: config.endpointNetworks ?? [],
    issuer: issuerOf(config),
    sessionKey: config.sessionKey,
  };
}
