import { MICROS_PER_USD } from '../domain/money.ts';
import { SETTINGS, type SettingName, type Values } from '../config/settings.ts';
import type { Environment } from '../config/read.ts';
import type { Mode } from '../config.ts';
import { error, must, warning, type Check, type Finding } from './check.ts';
import { OPERATOR_CHECKS } from './operator-checks.ts';
import { isLoopback, isPrivate } from './private-address.ts';
import { isExample, isStrong } from './secret-strength.ts';
import { VM_CHECKS } from './vm-checks.ts';

export interface ConfigurationFacts {
  readonly values: Values;
  /** Null: a live key without an explicit mode. */
  readonly mode: Mode | null;
  /** Whether each setting was given, by name. */
  readonly env: Environment;
}

type ConfigurationCheck = Check<ConfigurationFacts>;

const base = { needs: 'configuration', isForStart: true } as const;

export const CONFIGURATION_CHECKS: readonly ConfigurationCheck[] = [
  {
    ...base,
    id: 1,
    title: 'the mode is production',
    why: 'Sandbox and test mode let people sign in without proof and show money that does not exist.',
    remedy: 'Set HERO_ONBOARDING_MODE=production.',
    judge: ({ mode }) => must(mode === 'production', 'HERO_ONBOARDING_MODE is not production.'),
  },
  {
    ...base,
    id: 2,
    title: 'the public address is https and not this machine',
    why: 'Customers return from the payment page to this address, and providers send webhooks to it. Over http the session could be read on the way.',
    remedy: 'Put a reverse proxy with a certificate in front and set HERO_ONBOARDING_PUBLIC_URL to its https address.',
    judge: ({ values }) => judgePublicUrl(values.publicUrl),
  },
  {
    ...base,
    id: 3,
    title: 'the admin secret is strong, or there is none',
    why: 'Whoever has it can set any balance. A short or patterned one can be guessed.',
    remedy:
      'Make one with "openssl rand -base64 32", or leave HERO_ONBOARDING_ADMIN_SECRET unset or set HERO_ONBOARDING_ADMIN_SECRET_USE=off: then nobody is an operator by secret.',
    judge: ({ values }) => [
      ...judgeStrength('adminSecret', values.adminSecret),
      ...judgeStrength('adminSecretPrevious', values.adminSecretPrevious),
    ],
  },
  {
    ...base,
    id: 4,
    title: 'the admin secret is used for nothing else and is no known example',
    why: 'A secret shared with another use leaks where the other leaks; an example from a document is known to everybody.',
    remedy: 'Make a new one for this purpose alone.',
    judge: judgeAdminSecretIsOwn,
  },
  {
    ...base,
    id: 5,
    title: 'the session key is strong',
    why: 'It signs page cursors and form tokens; with a guessed one they could be forged.',
    remedy:
      'Set HERO_ONBOARDING_SESSION_KEY to the output of "openssl rand -base64 32", the same on all servers of one database.',
    judge: ({ values }) =>
      values.sessionKey === null
        ? [error('HERO_ONBOARDING_SESSION_KEY is not set.')]
        : judgeStrength('sessionKey', values.sessionKey),
  },
  {
    ...base,
    id: 6,
    title: 'the encryption key is strong, or there is none',
    why: 'It seals the secrets that endpoints verify our events with. Without one nobody can have events sent; with a guessed one a copy of the database tells them.',
    remedy:
      'Set HERO_ONBOARDING_ENCRYPTION_KEY to the output of "openssl rand -base64 32", the same on all servers of one database, and keep a copy apart from the backups.',
    judge: ({ values }) => [
      ...judgeStrength('encryptionKey', values.encryptionKey),
      ...judgeStrength('encryptionKeyPrevious', values.encryptionKeyPrevious),
    ],
  },
  {
    ...base,
    id: 7,
    title: 'each payment provider has its key and its webhook secret',
    why: 'With a key but no signing secret customers can pay, and the news of it is refused until a poll finds it.',
    remedy:
      'Copy both from the provider’s console: STRIPE_SECRET_KEY and the endpoint’s STRIPE_WEBHOOK_SECRET; CLICKPESA_API_KEY and CLICKPESA_CHECKSUM_KEY; BTCPAY_API_KEY and BTCPAY_WEBHOOK_SECRET.',
    judge: judgeProviders,
  },
  {
    ...base,
    id: 8,
    title: 'the provider keys are live keys',
    why: 'A test key in production credits real wallets with test money.',
    remedy: 'Use the live key: it starts with sk_live_ or, better, rk_live_.',
    judge: ({ values }) =>
      must(
        values.stripeSecretKey === null || /^(sk|rk)_live_/.test(values.stripeSecretKey),
        'STRIPE_SECRET_KEY is a test key.',
      ),
  },
  {
    ...base,
    id: 9,
    title: 'the provider account is named',
    why: 'A key of another account of yours would take the money where nobody looks; with the account named it is refused.',
    remedy: 'Set STRIPE_ACCOUNT_ID to the acct_… of the account that is to receive the money.',
    judge: ({ values }) =>
      must(values.stripeSecretKey === null || values.stripeAccountId !== null, 'STRIPE_ACCOUNT_ID is not set.'),
  },
  {
    ...base,
    id: 10,
    title: 'no two secrets are the same',
    why: 'One leak would open two doors, and a webhook could be signed by whoever knows the other secret.',
    remedy: 'Give each its own value; a previous secret is one that differs from the present one.',
    judge: ({ values }) => sameSecrets(values).map((pair) => error(`${pair[0]} and ${pair[1]} are the same.`)),
  },
  {
    ...base,
    id: 12,
    title: 'test and debugging switches are off',
    why: 'A redirected API, an open debugger or unchecked certificates hand over money and secrets.',
    remedy:
      'Remove STRIPE_API_BASE, CLICKPESA_API_URL, CLICKPESA_CHECKSUM_METHOD, NODE_TLS_REJECT_UNAUTHORIZED and any --inspect in NODE_OPTIONS.',
    judge: judgeSwitches,
  },
  {
    ...base,
    id: 16,
    title: 'the connection to PostgreSQL is encrypted and its server verified',
    why: 'On the way to another machine the ledger could be read or changed.',
    remedy: 'Append ?sslmode=verify-full (and sslrootcert=…) to the URL. A socket or a loopback address needs none.',
    judge: ({ values }) => [
      ...judgeDatabaseUrl('databaseUrl', values.databaseUrl),
      ...judgeDatabaseUrl('migrationDatabaseUrl', values.migrationDatabaseUrl),
    ],
  },
  ...OPERATOR_CHECKS,
  {
    ...base,
    id: 23,
    title: 'people sign in over https, with a secret that cannot be guessed',
    why: 'Whoever listens on the way to the issuer, or guesses the secret of our client, can sign in as somebody else.',
    remedy:
      'Set FORGE_URL and OIDC_ISSUER to https addresses, and take the client secrets as the Forge or the issuer made them. Register FORGE_CLIENT_ID with the redirect address <public address>/login/forge/callback and no other.',
    judge: ({ values }) => judgeSignIn(values),
  },
  {
    ...base,
    id: 25,
    title: 'cookies are Secure and bound to this host, and HSTS is on',
    why: 'All three follow from an https public address without a path; otherwise a session cookie could travel in clear.',
    remedy: 'Serve it at the root of its own host name over https, and say so in HERO_ONBOARDING_PUBLIC_URL.',
    judge: ({ values }) => judgeCookieBase(values.publicUrl),
  },
  {
    ...base,
    id: 28,
    title: 'the limits for top-ups and holds are sane',
    why: 'They bound what a stolen session or a slip can move at once.',
    remedy: 'Keep HERO_ONBOARDING_TOP_UP_MAX and HERO_ONBOARDING_HOLD_MAX at or below 10,000 USD.',
    judge: ({ values }) => [
      ...must(values.topUpMax <= LIMIT_MAX, 'HERO_ONBOARDING_TOP_UP_MAX is above 10,000 USD.'),
      ...must(values.holdMax <= LIMIT_MAX, 'HERO_ONBOARDING_HOLD_MAX is above 10,000 USD.'),
    ],
  },
  {
    ...base,
    id: 30,
    title: 'the log level is not debug',
    why: 'Debug lines name people and statements, and fill the disk.',
    remedy: 'Set HERO_ONBOARDING_LOG_LEVEL to info or warn.',
    judge: ({ values }) => must(values.logLevel !== 'debug', 'HERO_ONBOARDING_LOG_LEVEL is debug.'),
  },
  {
    ...base,
    id: 31,
    title: 'metrics are not public',
    why: 'They tell competitors and attackers how much is going on, and when something breaks.',
    remedy: 'Set HERO_ONBOARDING_METRICS to loopback, operator or off.',
    judge: ({ values }) => must(values.metrics !== 'anyone', 'HERO_ONBOARDING_METRICS lets anyone read them.'),
  },
  {
    ...base,
    id: 43,
    title: 'the Forge is reached over https',
    why: 'Usage becomes charges. Over http the token could be read on the way, and records put in.',
    remedy: 'Set FORGE_URL to the https address of the Forge.',
    judge: ({ values }) =>
      must(values.forgeUrl === null || new URL(values.forgeUrl).protocol === 'https:', 'FORGE_URL is not https.'),
  },
  {
    ...base,
    id: 44,
    title: 'the token for the usage repository is a real one',
    why: 'Whoever can write to that repository charges the wallets of its nodes’ users, up to the nodes’ limits.',
    remedy:
      'Make a token in the Forge, for this repository alone: on the service it needs to read, on a node to write.',
    judge: ({ values }) => judgeForgeToken(values.forgeUsageToken),
  },
  {
    ...base,
    id: 46,
    title: 'BTCPay Server is reached over https, or on this machine',
    why: 'Its API key goes over this connection, and what it says of a payment is credited.',
    remedy: 'Set BTCPAY_URL to the https address of the server; on the same machine http://127.0.0.1 will do.',
    judge: ({ values }) => must(isPrivate(values.btcpayUrl), 'BTCPAY_URL is not https.'),
  },
  {
    ...base,
    id: 49,
    title: 'nobody else is on the way to the Mycelium daemon',
    why: 'The daemon asks no one who they are. Whoever can read what we say to it has the codes that people sign in with.',
    remedy: 'Run the daemon on this machine and set MYCELIUM_API_URL to its loopback address, or reach it by https.',
    judge: ({ values }) =>
      must(isPrivate(values.myceliumApiUrl), 'MYCELIUM_API_URL reaches another machine over http.'),
  },
  ...VM_CHECKS,
];

function judgeSignIn(values: Values): readonly Finding[] {
  const { forgeUrl, forgeClientId, forgeClientSecret, oidcIssuer, oidcClientSecret } = values;
  const isPlain = forgeClientId !== null && forgeUrl?.startsWith('https:') !== true;
  const isBad = (secret: string | null): boolean => isShort(secret) || isExample(secret);
  return [
    ...must(!isPlain, 'People sign in through FORGE_URL, which is not https.'),
    ...must(oidcIssuer?.startsWith('https:') !== false, 'OIDC_ISSUER is not https.'),
    ...must(!isBad(forgeClientSecret), 'FORGE_CLIENT_SECRET is short, or contains a known example.'),
    ...must(!isBad(oidcClientSecret), 'OIDC_CLIENT_SECRET is short, or contains a known example.'),
  ];
}

const LIMIT_MAX = 10_000n * MICROS_PER_USD;

function judgePublicUrl(publicUrl: string | null): readonly Finding[] {
  if (publicUrl === null) return [error('HERO_ONBOARDING_PUBLIC_URL is not set.')];
  const { protocol, hostname } = new URL(publicUrl);
  return [
    ...must(protocol === 'https:', 'HERO_ONBOARDING_PUBLIC_URL is not https.'),
    ...must(!isLoopback(hostname.replace(/[[\]]/g, '')), 'HERO_ONBOARDING_PUBLIC_URL points to this machine.'),
  ];
}

function judgeCookieBase(publicUrl: string | null): readonly Finding[] {
  const url = publicUrl === null ? null : new URL(publicUrl);
  if (url?.protocol !== 'https:')
    return [error('Without https in HERO_ONBOARDING_PUBLIC_URL cookies are not Secure and HSTS is off.')];
  return must(url.pathname === '/', 'HERO_ONBOARDING_PUBLIC_URL has a path; cookies are bound to a whole host.');
}

function judgeStrength(name: SettingName, value: string | null): readonly Finding[] {
  return must(
    value === null || isStrong(value),
    `${SETTINGS[name].env} holds less than 32 random bytes (43 base64 or 64 hex characters).`,
  );
}

const SECRETS = [
  'adminSecret',
  'adminSecretPrevious',
  'sessionKey',
  'stripeSecretKey',
  'stripeWebhookSecret',
  'stripeWebhookSecretPrevious',
  'clickpesaApiKey',
  'clickpesaChecksumKey',
  'clickpesaChecksumKeyPrevious',
  'btcpayApiKey',
  'btcpayWebhookSecret',
  'btcpayWebhookSecretPrevious',
  'forgeUsageToken',
  'forgeClientSecret',
  'oidcClientSecret',
  'provisionerToken',
] as const;

/** Pairs of setting names whose values are equal. */
function sameSecrets(values: Values): readonly (readonly [string, string])[] {
  return SECRETS.flatMap((one, index) =>
    SECRETS.slice(index + 1)
      .filter((other) => values[one] !== null && values[one] === values[other])
      .map((other) => [SETTINGS[one].env, SETTINGS[other].env] as const),
  );
}

function judgeAdminSecretIsOwn({ values }: ConfigurationFacts): readonly Finding[] {
  const admin = new Set<string>([SETTINGS.adminSecret.env, SETTINGS.adminSecretPrevious.env]);
  const shared = sameSecrets(values).filter(([one, other]) => admin.has(one) || admin.has(other));
  const examples = (['adminSecret', 'adminSecretPrevious'] as const).filter((name) => isExample(values[name]));
  return [
    ...shared.map(([one, other]) => error(`${one} and ${other} are the same.`)),
    ...examples.map((name) => error(`${SETTINGS[name].env} is or contains a known example.`)),
  ];
}

const WEBHOOK_SECRET_LENGTH_MIN = 24;

const isShort = (secret: string | null): boolean => secret !== null && secret.length < WEBHOOK_SECRET_LENGTH_MIN;

function judgeProviders({ values }: ConfigurationFacts): readonly Finding[] {
  const { stripeSecretKey, clickpesaApiKey, btcpayUrl } = values;
  const findings = [...judgeStripe(values), ...judgeClickPesa(values), ...judgeBtcpay(values)];
  const isNone = stripeSecretKey === null && clickpesaApiKey === null && btcpayUrl === null;
  return isNone && findings.length === 0
    ? [warning('No payment provider is configured: nobody can pay in.')]
    : findings;
}

/** As ClickPesa makes them they are longer; below this one can be guessed. */
const CHECKSUM_KEY_LENGTH_MIN = 16;

function judgeClickPesa(values: Values): readonly Finding[] {
  const { clickpesaApiKey: apiKey, clickpesaChecksumKey: checksumKey, clickpesaChecksumKeyPrevious: previous } = values;
  if (apiKey === null && checksumKey === null) return [];
  const isTooShort = (key: string | null): boolean => key !== null && key.length < CHECKSUM_KEY_LENGTH_MIN;
  return [
    ...must(apiKey !== null, 'CLICKPESA_CHECKSUM_KEY is set but CLICKPESA_API_KEY is not.'),
    ...must(checksumKey !== null, 'CLICKPESA_API_KEY is set but CLICKPESA_CHECKSUM_KEY is not.'),
    ...must(
      !isTooShort(checksumKey) && !isExample(checksumKey),
      'CLICKPESA_CHECKSUM_KEY is short, or contains a known example.',
    ),
    ...must(!isTooShort(previous), 'CLICKPESA_CHECKSUM_KEY_PREVIOUS is shorter than 16 characters.'),
  ];
}

function judgeStripe(values: Values): readonly Finding[] {
  const { stripeSecretKey: key, stripeWebhookSecret: webhook, stripeWebhookSecretPrevious: previous } = values;
  if (key === null && webhook === null) return [];
  return [
    ...must(webhook === null || key !== null, 'STRIPE_WEBHOOK_SECRET is set but STRIPE_SECRET_KEY is not.'),
    ...must(key === null || webhook !== null, 'STRIPE_SECRET_KEY is set but STRIPE_WEBHOOK_SECRET is not.'),
    ...must(!isShort(webhook), 'STRIPE_WEBHOOK_SECRET is shorter than 24 characters.'),
    ...must(!isShort(previous), 'STRIPE_WEBHOOK_SECRET_PREVIOUS is shorter than 24 characters.'),
  ];
}

function judgeBtcpay(values: Values): readonly Finding[] {
  const { btcpayUrl, btcpayWebhookSecret, btcpayWebhookSecretPrevious } = values;
  return [
    ...must(btcpayUrl === null || btcpayWebhookSecret !== null, 'BTCPAY_URL is set but BTCPAY_WEBHOOK_SECRET is not.'),
    ...must(!isShort(btcpayWebhookSecret), 'BTCPAY_WEBHOOK_SECRET is shorter than 24 characters.'),
    ...must(!isShort(btcpayWebhookSecretPrevious), 'BTCPAY_WEBHOOK_SECRET_PREVIOUS is shorter than 24 characters.'),
  ];
}

/** As Forgejo and Gitea make them: 40 hex characters. */
const FORGE_TOKEN_LENGTH_MIN = 40;

function judgeForgeToken(token: string | null): readonly Finding[] {
  if (token === null) return [];
  return [
    ...must(token.length >= FORGE_TOKEN_LENGTH_MIN, 'FORGE_USAGE_TOKEN is shorter than 40 characters.'),
    ...must(!/^(.)\1*$/.test(token) && !isExample(token), 'FORGE_USAGE_TOKEN is or contains a known example.'),
  ];
}

function judgeSwitches({ values, env }: ConfigurationFacts): readonly Finding[] {
  const apiHost = values.stripeApiBase === null ? null : new URL(values.stripeApiBase).host;
  return [
    ...must(apiHost === null || apiHost === 'api.stripe.com', 'STRIPE_API_BASE points away from Stripe.'),
    ...must(
      values.clickpesaApiUrl === null || values.clickpesaApiUrl.startsWith('https://api.clickpesa.com/'),
      'CLICKPESA_API_URL points away from ClickPesa.',
    ),
    ...must(
      values.clickpesaChecksumMethod === 'canonical',
      'CLICKPESA_CHECKSUM_METHOD is legacy: two payloads can have the same checksum.',
    ),
    ...must(
      env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0',
      'NODE_TLS_REJECT_UNAUTHORIZED switches certificate checks off.',
    ),
    ...must(!/--inspect/.test(env['NODE_OPTIONS'] ?? ''), 'NODE_OPTIONS opens a debugger.'),
  ];
}

function judgeDatabaseUrl(name: 'databaseUrl' | 'migrationDatabaseUrl', value: string | null): readonly Finding[] {
  if (value === null) return [];
  const url = new URL(value);
  const host = url.searchParams.get('host') ?? url.hostname.replace(/[[\]]/g, '');
  if (host === '' || host.startsWith('/') || isLoopback(host)) return [];
  return must(
    url.searchParams.get('sslmode') === 'verify-full',
    `${SETTINGS[name].env} reaches another machine without sslmode=verify-full.`,
  );
}
