import { BTCPAY_SETTINGS } from './btcpay-settings.ts';
import { EVENT_SETTINGS } from './event-settings.ts';
import {
  amount,
  amounts,
  choice,
  folder,
  httpUrl,
  instant,
  integer,
  listenAddress,
  networks,
  postgresUrl,
  secret,
  text,
} from './kinds.ts';
import { SESSION_SETTINGS } from './session-settings.ts';
import { given, optional, type Setting } from './setting.ts';
import { STANDING_SETTINGS } from './standing-settings.ts';
import { FORGE_SETTINGS } from './forge-settings.ts';
import { OIDC_SETTINGS } from './oidc-settings.ts';
import { PROVISIONER_SETTINGS } from './provisioner-settings.ts';

/** Every setting, once. The key is its name in the code, `env` its name outside. */
export const SETTINGS = {
  mode: optional({
    env: 'HERO_ONBOARDING_MODE',
    group: 'Server',
    kind: choice(['sandbox', 'test', 'production']),
    prose:
      "What money is: simulated, a provider's test account, or real. Unset: sandbox without a provider key, test with test keys; production is never a default.",
  }),
  listen: given({
    env: 'HERO_ONBOARDING_LISTEN',
    group: 'Server',
    kind: listenAddress,
    default: '127.0.0.1:9920',
    prose: 'Address and port the server listens on; port 0 takes a free one.',
  }),
  trustedProxies: optional({
    env: 'HERO_ONBOARDING_TRUSTED_PROXIES',
    group: 'Server',
    kind: networks,
    prose:
      'Your reverse proxies, as addresses or networks: what they say in X-Forwarded-For is where a request comes from. Unset: the connection itself, for limits and in the list of sessions.',
  }),
  publicUrl: optional({
    env: 'HERO_ONBOARDING_PUBLIC_URL',
    group: 'Server',
    kind: httpUrl,
    prose:
      'Where browsers and providers reach the server; decides return addresses, cookies and the origin check. Unset: the listen address over http.',
  }),
  dataDir: given({
    env: 'HERO_ONBOARDING_DATA_DIR',
    group: 'Server',
    kind: folder,
    default: './data',
    prose: 'Folder of the embedded database and of the secrets that sandbox mode makes for itself.',
  }),
  logLevel: given({
    env: 'HERO_ONBOARDING_LOG_LEVEL',
    group: 'Server',
    kind: choice(['debug', 'info', 'warn', 'error']),
    default: 'info',
    prose: 'The least serious log lines that are written to standard error, one JSON object each.',
  }),
  metrics: given({
    env: 'HERO_ONBOARDING_METRICS',
    group: 'Server',
    kind: choice(['loopback', 'operator', 'off', 'anyone']),
    default: 'loopback',
    prose:
      'Who may read /metrics: callers on this machine (not through a proxy) and operators, operators only, nobody, or anyone.',
  }),
  databaseUrl: optional({
    env: 'DATABASE_URL',
    group: 'Database',
    kind: postgresUrl,
    isSecret: true,
    prose:
      'PostgreSQL 15 or newer, as the application role. Unset: the embedded PostgreSQL 18 in the data folder is used.',
  }),
  migrationDatabaseUrl: optional({
    env: 'HERO_ONBOARDING_MIGRATION_DATABASE_URL',
    group: 'Database',
    kind: postgresUrl,
    isSecret: true,
    prose:
      'The same database as the role that owns the tables; used for migrations only. Unset: DATABASE_URL migrates, which production refuses.',
  }),
  postgresBinaries: optional({
    env: 'PG_BIN',
    group: 'Database',
    kind: folder,
    prose:
      'Folder with the initdb and postgres of a PostgreSQL 15 or newer to run as the embedded one. Unset: the PostgreSQL that npm installed.',
  }),
  databasePoolMax: given({
    env: 'HERO_ONBOARDING_DATABASE_POOL_MAX',
    group: 'Database',
    kind: integer({ min: 4, max: 200, unit: 'connections' }),
    default: '10',
    prose: 'Connections of this process to PostgreSQL; more than about ten on two cores makes a busy wallet slower.',
  }),
  ...SESSION_SETTINGS,
  stripeSecretKey: optional({
    env: 'STRIPE_SECRET_KEY',
    group: 'Stripe',
    kind: text(
      /^(sk|rk)_(test|live)_[A-Za-z0-9_]{8,}$/,
      'must be a Stripe key that starts with sk_test_, rk_test_, sk_live_ or rk_live_',
    ),
    isSecret: true,
    prose: "Stripe's API key. Unset: no Stripe outside sandbox mode.",
  }),
  stripeWebhookSecret: optional({
    env: 'STRIPE_WEBHOOK_SECRET',
    group: 'Stripe',
    kind: secret,
    isSecret: true,
    prose: "The endpoint's signing secret (whsec_…). Unset or too short: the webhook answers 503 and accepts nothing.",
  }),
  stripeWebhookSecretPrevious: optional({
    env: 'STRIPE_WEBHOOK_SECRET_PREVIOUS',
    group: 'Stripe',
    kind: secret,
    isSecret: true,
    prose: 'The signing secret before the present one, accepted until the instant below.',
  }),
  stripeWebhookSecretPreviousUntil: optional({
    env: 'STRIPE_WEBHOOK_SECRET_PREVIOUS_UNTIL',
    group: 'Stripe',
    kind: instant,
    prose: 'When the previous signing secret stops being accepted; must be set when it is.',
  }),
  stripeApiBase: optional({
    env: 'STRIPE_API_BASE',
    group: 'Stripe',
    kind: httpUrl,
    prose: "Where the Stripe API is. Unset: Stripe's own host; in sandbox mode the simulator that the server starts.",
  }),
  stripeAccountId: optional({
    env: 'STRIPE_ACCOUNT_ID',
    group: 'Stripe',
    kind: text(/^acct_[A-Za-z0-9_]{6,}$/, 'must be a Stripe account id that starts with acct_'),
    prose: 'The account the key must belong to. Unset: the account is asked for once and believed.',
  }),
  clickpesaClientId: optional({
    env: 'CLICKPESA_CLIENT_ID',
    group: 'ClickPesa',
    kind: text(/^[A-Za-z0-9_-]{4,100}$/, 'must be the client id of a ClickPesa application: letters and digits'),
    prose: 'The ClickPesa application whose money it is. Unset: no mobile money outside sandbox mode.',
  }),
  clickpesaApiKey: optional({
    env: 'CLICKPESA_API_KEY',
    group: 'ClickPesa',
    kind: secret,
    isSecret: true,
    prose: "The application's API key; must be set when the client id is.",
  }),
  clickpesaChecksumKey: optional({
    env: 'CLICKPESA_CHECKSUM_KEY',
    group: 'ClickPesa',
    kind: secret,
    isSecret: true,
    prose:
      "The application's checksum key; not the API key. Unset or too short: the webhook answers 503, and requests carry no checksum.",
  }),
  clickpesaChecksumKeyPrevious: optional({
    env: 'CLICKPESA_CHECKSUM_KEY_PREVIOUS',
    group: 'ClickPesa',
    kind: secret,
    isSecret: true,
    prose: 'The checksum key before the present one, accepted of webhooks until the instant below.',
  }),
  clickpesaChecksumKeyPreviousUntil: optional({
    env: 'CLICKPESA_CHECKSUM_KEY_PREVIOUS_UNTIL',
    group: 'ClickPesa',
    kind: instant,
    prose: 'When the previous checksum key stops being accepted; must be set when it is.',
  }),
  clickpesaApiUrl: optional({
    env: 'CLICKPESA_API_URL',
    group: 'ClickPesa',
    kind: httpUrl,
    prose:
      "Where ClickPesa's API is, with its path. Unset: https://api.clickpesa.com/third-parties in production, the simulator that the server starts in sandbox mode; test mode must be told.",
  }),
  clickpesaChecksumMethod: given({
    env: 'CLICKPESA_CHECKSUM_METHOD',
    group: 'ClickPesa',
    kind: choice(['canonical', 'legacy']),
    default: 'canonical',
    prose:
      'How requests are signed. legacy, the method of before 2026, proves little: two payloads can have one checksum; with it webhooks of both methods are accepted.',
  }),
  ...BTCPAY_SETTINGS,
  ...PROVISIONER_SETTINGS,
  ...FORGE_SETTINGS,
  myceliumApiUrl: optional({
    env: 'MYCELIUM_API_URL',
    group: 'Mycelium',
    kind: httpUrl,
    prose:
      'The API of a Mycelium daemon of its own, through which people show that they control their node, for example http://127.0.0.1:8989. Unset: nobody signs in so; in sandbox mode a simulated network is started.',
  }),
  ...OIDC_SETTINGS,
  topUpMin: given({
    env: 'HERO_ONBOARDING_TOP_UP_MIN',
    group: 'Wallets',
    kind: amount,
    default: '5.00',
    prose: 'The least a user may pay in at once.',
  }),
  topUpMax: given({
    env: 'HERO_ONBOARDING_TOP_UP_MAX',
    group: 'Wallets',
    kind: amount,
    default: '2000.00',
    prose: 'The most a user may pay in at once.',
  }),
  topUpPresets: given({
    env: 'HERO_ONBOARDING_TOP_UP_PRESETS',
    group: 'Wallets',
    kind: amounts,
    default: '10,25,50,100',
    prose: 'The amounts the wallet page offers as buttons.',
  }),
  openPaymentsMax: given({
    env: 'HERO_ONBOARDING_OPEN_PAYMENTS_MAX',
    group: 'Wallets',
    kind: integer({ min: 1, max: 100, unit: 'payments' }),
    default: '10',
    prose: 'Top-ups a user may have unpaid at once.',
  }),
  holdMax: given({
    env: 'HERO_ONBOARDING_HOLD_MAX',
    group: 'Wallets',
    kind: amount,
    default: '1000.00',
    prose: 'The most one hold may reserve.',
  }),
  usageOwedMax: given({
    env: 'HERO_ONBOARDING_USAGE_OWED_MAX',
    group: 'Wallets',
    kind: amount,
    default: '5.00',
    prose:
      'How far below its floor usage that was delivered already may take a wallet; past it the record is kept as unbilled.',
  }),
  lowBalance: given({
    env: 'HERO_ONBOARDING_LOW_BALANCE',
    group: 'Wallets',
    kind: amount,
    default: '2.00',
    prose: 'Nodes are told that a wallet is low when it holds less than this.',
  }),
  disputeFreeze: given({
    env: 'HERO_ONBOARDING_DISPUTE_FREEZE',
    group: 'Wallets',
    kind: choice(['wallet', 'amount']),
    default: 'wallet',
    prose:
      'What stops when a payment is disputed: the whole wallet (no debits or new holds until the dispute is won or an operator thaws it), or only the disputed amount.',
  }),
  leaseMax: given({
    env: 'HERO_ONBOARDING_LEASE_MAX',
    group: 'Wallets',
    kind: amount,
    default: '20.00',
    prose: 'The most that one lease of a node may set aside of a wallet.',
  }),
  leaseSecondsMax: given({
    env: 'HERO_ONBOARDING_LEASE_SECONDS_MAX',
    group: 'Wallets',
    kind: integer({ min: 1, max: 86_400, unit: 'seconds' }),
    default: '7200',
    prose: 'How long a lease may be good: as long as nodes shall go on working while they cannot reach the server.',
  }),
  refundSelfService: given({
    env: 'HERO_ONBOARDING_REFUND_SELF_SERVICE',
    group: 'Wallets',
    kind: choice(['off', 'on']),
    default: 'off',
    prose: 'Whether users may ask for what they paid and have not spent to be given back to them.',
  }),
  refundWindowDays: given({
    env: 'HERO_ONBOARDING_REFUND_WINDOW_DAYS',
    group: 'Wallets',
    kind: integer({ min: 1, max: 365, unit: 'days' }),
    default: '30',
    prose:
      'How long after a top-up its user may ask for it back. Operators may later, as far as the provider lets them.',
  }),
  refundSpent: given({
    env: 'HERO_ONBOARDING_REFUND_SPENT',
    group: 'Wallets',
    kind: choice(['deny', 'allow_negative']),
    default: 'deny',
    prose:
      'What a refund of money that was spent does: it is refused, or, by an operator, made, and the wallet owes it.',
  }),
  refundApprovalAbove: optional({
    env: 'HERO_ONBOARDING_REFUND_APPROVAL_ABOVE',
    group: 'Wallets',
    kind: amount,
    prose: 'Refunds of more than this wait until a second operator approves them. Unset: none does.',
  }),
  ...STANDING_SETTINGS,
  planMissedPeriods: given({
    env: 'HERO_ONBOARDING_PLAN_MISSED_PERIODS',
    group: 'Wallets',
    kind: choice(['charge', 'skip']),
    default: 'charge',
    prose:
      'What becomes of a period of a plan that is over as a whole before the house got to renew it: it is charged, or left out. Left out in any case while the wallet could not pay and its VMs stood still.',
  }),
  ...EVENT_SETTINGS,
  lanes: given({
    env: 'HERO_ONBOARDING_LEDGER_LANES',
    group: 'Ledger',
    kind: integer({ min: 1, max: 16, unit: 'lanes' }),
    default: '2',
    prose: 'Batches of postings this process writes at once; each uses one connection.',
  }),
  batchRecordsMax: given({
    env: 'HERO_ONBOARDING_LEDGER_BATCH_MAX',
    group: 'Ledger',
    kind: integer({ min: 1, max: 10_000, unit: 'postings' }),
    default: '2000',
    prose: 'Postings committed together at most.',
  }),
  queueMax: given({
    env: 'HERO_ONBOARDING_LEDGER_QUEUE_MAX',
    group: 'Ledger',
    kind: integer({ min: 1, max: 1_000_000, unit: 'postings' }),
    default: '20000',
    prose: 'Postings that may wait in this process; over it callers are told 429 and nothing is taken in.',
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends Setting<infer T> & { default: infer D } ? (D extends null ? T | null : T) : never;

/** The parsed values: one field a setting, null where an optional one is absent. */
export type Values = { readonly [N in SettingName]: ValueOf<(typeof SETTINGS)[N]> };
