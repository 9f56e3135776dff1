import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { houseSettings, readConfig } from '../../src/config.ts';
import { printConfig } from '../../src/config/print.ts';
import { ConfigError, unknownNames, type Environment } from '../../src/config/read.ts';
import { configurationPage, exampleFile } from '../../src/config/reference.ts';
import { adminSecretFile, secretsFolder, withSandboxSecrets } from '../../src/config/sandbox-secrets.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { micros } from '../../src/domain/money.ts';
import { testPorts } from '../support/ports.ts';

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** A wrong text for each setting; the sentence must name the setting. */
const WRONG: Readonly<Record<keyof typeof SETTINGS, string>> = {
  mode: 'live',
  warningHours: '4,72',
  graceHours: '0',
  suspendedDays: '0',
  rescueHours: '0',
  listen: 'localhost',
  publicUrl: 'ftp://example.org',
  dataDir: '',
  logLevel: 'loud',
  metrics: 'yes',
  databaseUrl: 'mysql://localhost/x',
  migrationDatabaseUrl: 'localhost',
  postgresBinaries: '',
  databasePoolMax: '0',
  adminSecret: 'two words',
  adminSecretPrevious: 'two words',
  adminSecretUse: 'maybe',
  financeDailyLimit: '-5',
  trustedProxies: '*',
  sessionKey: 'two words',
  sessionHours: '1000',
  sessionIdleMinutes: '0',
  operators: 'king=https://git.example.org#1',
  stripeSecretKey: 'pk_test_abcdefghijkl',
  stripeWebhookSecret: 'two words',
  stripeWebhookSecretPrevious: 'two words',
  stripeWebhookSecretPreviousUntil: 'tomorrow',
  stripeApiBase: 'api.stripe.com',
  stripeAccountId: '12345678',
  clickpesaClientId: 'an id',
  clickpesaApiKey: 'two words',
  clickpesaChecksumKey: 'two words',
  clickpesaChecksumKeyPrevious: 'two words',
  clickpesaChecksumKeyPreviousUntil: 'tomorrow',
  clickpesaApiUrl: 'api.clickpesa.com',
  clickpesaChecksumMethod: 'md5',
  btcpayUrl: 'pay.example.org',
  btcpayApiKey: 'two words',
  btcpayStoreId: 'a/b',
  btcpayWebhookSecret: 'two words',
  btcpayWebhookSecretPrevious: 'two words',
  btcpayWebhookSecretPreviousUntil: 'tomorrow',
  btcpayConfirmations: '0',
  btcpayLateMinutes: '-1',
  provisioner: 'cloud',
  provisionerUrl: 'vms.example.org',
  provisionerToken: 'two words',
  forgeUrl: 'git.example.org',
  forgeUsageRepository: 'usage',
  forgeUsageBranch: '../main',
  forgeUsageToken: 'two words',
  myceliumApiUrl: '127.0.0.1:8989',
  forgeClientId: 'two words',
  forgeClientSecret: 'two words',
  forgeRoles: 'king=owners',
  oidcIssuer: 'id.example.org',
  oidcClientId: 'two words',
  oidcClientSecret: 'two words',
  oidcName: 'x'.repeat(41),
  oidcScope: 'profile',
  oidcRoleClaim: 'two words',
  oidcRoles: 'admins',
  topUpMin: '-5',
  topUpMax: '1e3',
  topUpPresets: '10;25',
  openPaymentsMax: '1.5',
  holdMax: '0',
  usageOwedMax: '-1',
  lowBalance: 'little',
  disputeFreeze: 'nothing',
  leaseMax: '-1',
  leaseSecondsMax: '0',
  refundSelfService: 'maybe',
  refundWindowDays: '0',
  refundSpent: 'perhaps',
  refundApprovalAbove: '-1',
  planMissedPeriods: 'sometimes',
  encryptionKey: 'two words',
  encryptionKeyPrevious: 'two words',
  endpointNetworks: '10.0.0.0/33',
  businessName: 'x'.repeat(101),
  businessAddress: 'x'.repeat(301),
  businessTaxNumber: 'x'.repeat(51),
  taxName: 'x'.repeat(21),
  taxPercent: '100',
  smtpUrl: 'mail.example.org',
  mailFrom: 'nobody',
  lanes: '99',
  batchRecordsMax: 'many',
  queueMax: '-1',
};
/** Any text names a folder. */
const CANNOT_BE_WRONG = new Set(['dataDir', 'postgresBinaries']);

describe('a wrong value stops the start with a sentence that names the setting', () => {
  for (const [key, setting] of Object.entries(SETTINGS)) {
    if (CANNOT_BE_WRONG.has(key)) continue;
    const wrong = Reflect.get(WRONG, key) as string;
    it(`${setting.env} is named`, () => {
      const problems = problemsOf({ [setting.env]: wrong });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${setting.env} must be .+\\.$`));
      expect(problems[0]?.includes(JSON.stringify(wrong))).toBe(!setting.isSecret);
    });
  }

  it('all wrong values are named at once', () => {
    expect(problemsOf({ HERO_ONBOARDING_LISTEN: 'x', HERO_ONBOARDING_HOLD_MAX: 'y' })).toHaveLength(2);
  });

  it('an operator’s overlay node is known by any of its addresses, and by nothing else', () => {
    const operators = (text: string) => readConfig({ HERO_ONBOARDING_OPERATORS: text }).operators;
    const listed = operators('admin=mycelium#[4AB:0:0:7::9],support=https://git.example.org/#42');
    expect(listed).toEqual([
      { role: 'admin', issuer: 'mycelium', subject: '4ab:0:0:7::/64' },
      { role: 'support', issuer: 'https://git.example.org', subject: '42' },
    ]);
    expect(problemsOf({ HERO_ONBOARDING_OPERATORS: 'admin=mycelium#2001:db8::1' })).toHaveLength(1);
  });

  it('an empty text is the same as none', () => {
    expect(readConfig({ HERO_ONBOARDING_LISTEN: '  ' }).listen).toEqual({ host: '127.0.0.1', port: 9920 });
  });
});

describe('defaults', () => {
  const config = readConfig({});

  it('without any setting the server is a sandbox on 127.0.0.1:9920 with its data in ./data', () => {
    expect(config).toMatchObject({
      mode: 'sandbox',
      listen: { host: '127.0.0.1', port: 9920 },
      publicUrl: 'http://127.0.0.1:9920',
      dataDir: path.resolve('data'),
      databaseUrl: null,
      sessionHours: 12,
    });
  });

  it('amounts are micro-dollars', () => {
    expect(config.topUpMin).toBe(micros(5_000_000n));
    expect(config.topUpPresets).toEqual([10_000_000n, 25_000_000n, 50_000_000n, 100_000_000n]);
  });

  it.each([
    ['127.0.0.1:80', 'http://127.0.0.1:80'],
    ['0.0.0.0:8080', 'http://127.0.0.1:8080'],
    ['[::1]:8080', 'http://[::1]:8080'],
  ])('the public address of %s is %s', (listen, expected) => {
    expect(readConfig({ HERO_ONBOARDING_LISTEN: listen }).publicUrl).toBe(expected);
  });
});

describe('the mode', () => {
  const sessionKey = { HERO_ONBOARDING_SESSION_KEY: 'k'.repeat(43) };

  it('is sandbox without a provider key', () => expect(readConfig({}).mode).toBe('sandbox'));
  it('is test with a test key', () =>
    expect(readConfig({ ...sessionKey, STRIPE_SECRET_KEY: 'rk_test_abcdefgh' }).mode).toBe('test'));

  it('a BTCPay Server means test mode too: its keys do not tell what its coins are worth', () => {
    const btcpay = { BTCPAY_URL: 'https://pay.example.org', BTCPAY_API_KEY: 'key', BTCPAY_STORE_ID: 'Store11111' };
    expect(readConfig({ ...sessionKey, ...btcpay }).mode).toBe('test');
  });

  it('is never production by default: a live key alone is refused', () =>
    expect(problemsOf({ ...sessionKey, STRIPE_SECRET_KEY: 'sk_live_abcdefgh' })).toEqual([
      expect.stringContaining('HERO_ONBOARDING_MODE is not set'),
    ]));
  it('is never guessed of a key that does not tell: mobile money alone is refused', () => {
    const keys = { CLICKPESA_CLIENT_ID: 'IDabcdef', CLICKPESA_API_KEY: 'SKabcdefgh' };
    expect(problemsOf({ ...sessionKey, ...keys })).toEqual([expect.stringContaining('HERO_ONBOARDING_MODE is not')]);
    expect(problemsOf({ ...sessionKey, ...keys, HERO_ONBOARDING_MODE: 'test' })).toEqual([
      expect.stringContaining('CLICKPESA_API_URL is not set'),
    ]);
  });
  it.each(['sandbox', 'test'])('a live key is refused in %s', (mode) =>
    expect(problemsOf({ ...sessionKey, HERO_ONBOARDING_MODE: mode, STRIPE_SECRET_KEY: 'sk_live_abcdefgh' })).toEqual([
      expect.stringContaining('only production may move real money'),
    ]),
  );
  it('outside a sandbox the session key must be given', () =>
    expect(problemsOf({ HERO_ONBOARDING_MODE: 'production' })).toEqual([
      expect.stringContaining('HERO_ONBOARDING_SESSION_KEY is not set'),
    ]));
});

describe('values that contradict one another are refused', () => {
  it.each<[Environment, string]>([
    [{ HERO_ONBOARDING_TOP_UP_MIN: '3000' }, 'nobody could pay anything in'],
    [{ HERO_ONBOARDING_TOP_UP_PRESETS: '1,25' }, 'offers 1.00, which is outside'],
    [{ STRIPE_WEBHOOK_SECRET_PREVIOUS: 'whsec_abc' }, 'must be set together'],
    [{ CLICKPESA_CLIENT_ID: 'IDabcdef' }, 'must be set together'],
    [{ CLICKPESA_CHECKSUM_KEY_PREVIOUS: 'CHKabc' }, 'must be set together'],
    [{ BTCPAY_URL: 'https://pay.example.org' }, 'must be set together'],
    [{ BTCPAY_WEBHOOK_SECRET_PREVIOUS: 'abc' }, 'must be set together'],
    [{ HERO_ONBOARDING_MIGRATION_DATABASE_URL: 'postgres://x/y' }, 'DATABASE_URL is not'],
    [{ FORGE_CLIENT_ID: 'app' }, 'must be set together'],
    [{ FORGE_CLIENT_ID: 'app', FORGE_CLIENT_SECRET: 'x' }, 'which Forge knows it?'],
    [{ OIDC_ISSUER: 'https://id.example.org', OIDC_CLIENT_ID: 'app' }, 'must be set together'],
    [{ HERO_ONBOARDING_LEDGER_LANES: '9' }, 'must leave at least two'],
  ])('%o', (env, says) => {
    expect(problemsOf(env).join('\n')).toContain(says);
  });
});

it('a name with our prefix that is no setting is noticed', () => {
  expect(unknownNames({ HERO_ONBOARDING_LISTN: 'x', HERO_ONBOARDING_LISTEN: 'x', PATH: 'x' })).toEqual([
    'HERO_ONBOARDING_LISTN',
  ]);
});

describe('secrets', () => {
  const CANARY = 'canary-7f3a9c';
  const secrets: Environment = {
    DATABASE_URL: `postgres://user:${CANARY}@localhost/x`,
    HERO_ONBOARDING_MIGRATION_DATABASE_URL: `postgres://owner:${CANARY}@localhost/x`,
    HERO_ONBOARDING_ADMIN_SECRET: `${CANARY}-admin`,
    HERO_ONBOARDING_ADMIN_SECRET_PREVIOUS: `${CANARY}-admin-previous`,
    HERO_ONBOARDING_SESSION_KEY: `${CANARY}-session`,
    HERO_ONBOARDING_SMTP_URL: `smtps://me:${CANARY}@mail.example.org`,
    HERO_ONBOARDING_MAIL_FROM: 'wallet@example.org',
    HERO_ONBOARDING_ENCRYPTION_KEY: `${CANARY}-seal`,
    HERO_ONBOARDING_ENCRYPTION_KEY_PREVIOUS: `${CANARY}-seal-previous`,
    STRIPE_SECRET_KEY: `sk_test_${CANARY.replace('-', '_')}`,
    STRIPE_WEBHOOK_SECRET: `${CANARY}-webhook`,
    STRIPE_WEBHOOK_SECRET_PREVIOUS: `${CANARY}-webhook-previous`,
    STRIPE_WEBHOOK_SECRET_PREVIOUS_UNTIL: '2027-01-31T12:00:00Z',
    CLICKPESA_CHECKSUM_KEY_PREVIOUS: `${CANARY}-checksum-previous`,
    CLICKPESA_CHECKSUM_KEY_PREVIOUS_UNTIL: '2027-01-31T12:00:00Z',
    BTCPAY_URL: 'https://pay.example.org',
    BTCPAY_API_KEY: `${CANARY}-btcpay`,
    BTCPAY_STORE_ID: 'Fv6xJ8dKq2mNp4rTs9uWz3',
    BTCPAY_WEBHOOK_SECRET: `${CANARY}-btcpay-webhook`,
    BTCPAY_WEBHOOK_SECRET_PREVIOUS: `${CANARY}-btcpay-webhook-previous`,
    BTCPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL: '2027-01-31T12:00:00Z',
    FORGE_URL: 'https://git.example.org',
    FORGE_USAGE_REPOSITORY: 'org/usage',
    FORGE_USAGE_TOKEN: `${CANARY}-forge`,
    FORGE_CLIENT_ID: 'application',
    FORGE_CLIENT_SECRET: `${CANARY}-forge-client`,
    OIDC_ISSUER: 'https://id.example.org',
    OIDC_CLIENT_ID: 'application',
    OIDC_CLIENT_SECRET: `${CANARY}-oidc-client`,
  };

  it('every secret is declared as one', () => {
    const declared = Object.values(SETTINGS).filter((setting) => setting.isSecret);
    const looksSecret = Object.values(SETTINGS).filter(({ env }) =>
      /(SECRET|KEY|TOKEN|DATABASE_URL|SMTP_URL)(_PREVIOUS)?$/.test(env),
    );
    expect(declared.map(({ env }) => env)).toEqual(looksSecret.map(({ env }) => env));
  });

  it('the printed configuration shows every setting and no secret', () => {
    const printed = printConfig(readConfig(secrets));
    expect(printed).not.toMatch(/canary|7f3a9c/);
    for (const { env } of Object.values(SETTINGS)) expect(printed).toContain(`${env}=`);
    expect(printed).toContain('HERO_ONBOARDING_ADMIN_SECRET=(set)  # environment');
    expect(printed).toContain('HERO_ONBOARDING_LISTEN=127.0.0.1:9920  # default');
  });

  it('an error about a secret does not repeat it', () => {
    for (const setting of Object.values(SETTINGS).filter(({ isSecret }) => isSecret)) {
      expect(problemsOf({ [setting.env]: `${CANARY} with a space` }).join('\n')).not.toContain(CANARY);
    }
  });
});

describe('a sandbox makes its own secrets', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hero-config-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const env: Environment = { HERO_ONBOARDING_DATA_DIR: folder };
  const make = (seed: number) => withSandboxSecrets(readConfig(env), testPorts({ seed }).random);

  it('once, and reads them again after a restart', () => {
    const first = make(1);
    expect(first.stripeSecretKey).toMatch(/^sk_test_[0-9a-f]{64}$/);
    expect(first.stripeWebhookSecret).toMatch(/^whsec_[0-9a-f]{64}$/);
    expect(first.btcpayWebhookSecret).toMatch(/^[0-9a-f]{64}$/);
    const second = make(2);
    expect({ ...second, origins: null }).toEqual({ ...first, origins: null });
    expect(first.origins.get('adminSecret')).toBe('generated');
    expect(houseSettings(second).sessionKey).toBe(first.sessionKey);
  });

  it('for itself alone: each file has mode 0600, also when it was copied with another', () => {
    const before = make(1);
    chmodSync(adminSecretFile(folder), 0o644);
    expect(make(1).adminSecret).toBe(before.adminSecret);
    const modes = readdirSync(secretsFolder(folder)).map(
      (file) => statSync(path.join(secretsFolder(folder), file)).mode & 0o777,
    );
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect(statSync(secretsFolder(folder)).mode & 0o777).toBe(0o700);
  });

  it('but keeps those that are given', () => {
    const given = readConfig({ ...env, HERO_ONBOARDING_ADMIN_SECRET: 'given-one' });
    expect(withSandboxSecrets(given, testPorts().random).adminSecret).toBe('given-one');
  });

  it('and never outside a sandbox', () => {
    const config = readConfig({ ...env, HERO_ONBOARDING_MODE: 'test', HERO_ONBOARDING_SESSION_KEY: 'x'.repeat(43) });
    expect(withSandboxSecrets(config, testPorts().random)).toBe(config);
  });
});

describe('the reference', () => {
  it('the example file is a valid environment that changes nothing', () => {
    const env: Record<string, string> = {};
    for (const [, name = '', value = ''] of exampleFile().matchAll(/^#([A-Z_]+)=(.*)$/gm)) env[name] = value;
    expect(Object.keys(env).toSorted()).toEqual(
      Object.values(SETTINGS)
        .map((setting) => setting.env)
        .toSorted(),
    );
    expect({ ...readConfig(env), origins: null }).toEqual({ ...readConfig({}), origins: null });
  });

  it('the page explains every setting', () => {
    for (const { env, prose } of Object.values(SETTINGS)) {
      expect(configurationPage()).toContain(`| \`${env}\` |`);
      expect(configurationPage()).toContain(prose);
    }
  });
});
