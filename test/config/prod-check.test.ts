import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modeOf } from '../../src/config.ts';
import { readValues, type Environment } from '../../src/config/read.ts';
import type { Check } from '../../src/prod-check/check.ts';
import { runChecks } from '../../src/prod-check/command.ts';
import { CONFIGURATION_CHECKS, type ConfigurationFacts } from '../../src/prod-check/configuration-checks.ts';
import { DATABASE_CHECKS, type DatabaseCheckFacts } from '../../src/prod-check/database-checks.ts';
import { MACHINE_CHECKS, type MachineFacts } from '../../src/prod-check/machine-checks.ts';
import { NETWORK_CHECKS, probeWebhook, type NetworkFacts } from '../../src/prod-check/network-checks.ts';
import { ALL_CHECKS, prodCheckPage } from '../../src/prod-check/reference.ts';
import { isReady, judgeAll, reportJson, reportText } from '../../src/prod-check/report.ts';
import { systemLog, systemPorts } from '../../src/ports/system.ts';
import { inspectDatabase } from '../../src/store/inspection.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testPorts } from '../support/ports.ts';

/** Every secret and address of the good configuration holds this; no report may. */
const CANARY = 'Zc4nAryQ';
const strong = (seed: string): string => `${CANARY}${seed}f8Kd02LmPq7RtVx3YbN5cWgHj6sUoEiA1lMz9`.slice(0, 48);

const PREVIOUS_KEY = {
  CLICKPESA_CHECKSUM_KEY_PREVIOUS: 'CHKZc4nAryQ',
  CLICKPESA_CHECKSUM_KEY_PREVIOUS_UNTIL: '2027-01-31T12:00:00Z',
};
const CLICKPESA = { CLICKPESA_CLIENT_ID: 'IDnBz3k9QwLmX7', CLICKPESA_API_KEY: 'SKZc4nAryQ8yT2rWq5Kp0Zs4' };
const NO_BACK_END = { HERO_ONBOARDING_PROVISIONER_URL: '', HERO_ONBOARDING_PROVISIONER_TOKEN: '' };
const GOOD: Environment = {
  HERO_ONBOARDING_MODE: 'production',
  HERO_ONBOARDING_PUBLIC_URL: `https://wallet.${CANARY.toLowerCase()}.org`,
  HERO_ONBOARDING_ADMIN_SECRET: strong('a'),
  HERO_ONBOARDING_TRUSTED_PROXIES: '10.0.3.0/24',
  HERO_ONBOARDING_SESSION_KEY: strong('s'),
  DATABASE_URL: `postgres://app:${CANARY}@db.internal/wallet?sslmode=verify-full`,
  HERO_ONBOARDING_MIGRATION_DATABASE_URL: `postgres://owner:${CANARY}@db.internal/wallet?sslmode=verify-full`,
  STRIPE_SECRET_KEY: `rk_live_${CANARY}51Habcdefghijklmnop`,
  STRIPE_WEBHOOK_SECRET: `whsec_${CANARY}0987654321qponmlkjih`,
  STRIPE_ACCOUNT_ID: 'acct_1Habcdefghijkl',
  BTCPAY_URL: 'https://pay.example.org',
  BTCPAY_API_KEY: `${CANARY}9f8e7d6c5b4a39281706f5e4d3c2b1a0`,
  BTCPAY_STORE_ID: 'Fv6xJ8dKq2mNp4rTs9uWz3',
  BTCPAY_WEBHOOK_SECRET: `${CANARY}4Rk9bYw2HsXqLm7TzVn3`,
  FORGE_URL: 'https://git.example.org',
  MYCELIUM_API_URL: 'http://[::1]:8989',
  HERO_ONBOARDING_PROVISIONER_URL: 'https://vms.example.org/hero',
  HERO_ONBOARDING_PROVISIONER_TOKEN: strong('v'),
  FORGE_USAGE_REPOSITORY: 'org/usage',
  FORGE_CLIENT_ID: '7c1f2a34-0b5d-4e6f-8a9b-0c1d2e3f4a5b',
  FORGE_CLIENT_SECRET: `gto_${CANARY}k7m3q9w5e1r8t2y6u4i0o`,
  OIDC_ISSUER: 'https://id.example.org/realms/main',
  OIDC_CLIENT_ID: 'wallet',
  OIDC_CLIENT_SECRET: `${CANARY}p5l2k8j4h6g1f9d3s7a0`,
  FORGE_USAGE_TOKEN: `${CANARY}0a1b2c3d4e5f60718293a4b5c6d7e8f9`,
};

function configurationFacts(change: Environment): ConfigurationFacts {
  const env = { ...GOOD, ...change };
  const values = readValues(env, { showValues: false });
  return { values, mode: modeOf(values), env };
}

/** Ids of the checks that find an error. */
function failing<F>(checks: readonly Check<F>[], facts: F): number[] {
  return checks.filter((check) => check.judge(facts).some(({ level }) => level === 'error')).map(({ id }) => id);
}

describe('settings', () => {
  it('L11 a good configuration passes every check of the settings, without a warning', () => {
    const findings = CONFIGURATION_CHECKS.flatMap((check) => check.judge(configurationFacts({})));
    expect(findings).toEqual([]);
  });

  it('an admin by identity is enough, and an https address without a named proxy is a warning', () => {
    const change = { HERO_ONBOARDING_ADMIN_SECRET: '', HERO_ONBOARDING_OPERATORS: 'admin=https://git.example.org#42' };
    expect(failing(CONFIGURATION_CHECKS, configurationFacts(change))).toEqual([]);
    const findings = CONFIGURATION_CHECKS.flatMap((check) =>
      check.judge(configurationFacts({ HERO_ONBOARDING_TRUSTED_PROXIES: '' })),
    );
    expect(findings).toMatchObject([{ level: 'warning' }]);
  });

  it('J03 a production server does not start with an admin secret that is weak or an example; without one it does', () => {
    const isBarred = (secret: string): boolean =>
      CONFIGURATION_CHECKS.filter(({ isForStart }) => isForStart).some((check) =>
        check
          .judge(configurationFacts({ HERO_ONBOARDING_ADMIN_SECRET: secret }))
          .some(({ level }) => level === 'error'),
      );
    expect(['Zc4nAryQ', 'a'.repeat(64), `changeme-${strong('a')}`, ''].map(isBarred)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  const bad: readonly (readonly [number, string, Environment])[] = [
    [1, 'test mode', { HERO_ONBOARDING_MODE: 'test' }],
    [2, 'a public address on http', { HERO_ONBOARDING_PUBLIC_URL: 'http://wallet.example.org' }],
    [2, 'a public address on this machine', { HERO_ONBOARDING_PUBLIC_URL: 'https://localhost' }],
    [2, 'no public address', { HERO_ONBOARDING_PUBLIC_URL: '' }],
    [3, 'a short admin secret', { HERO_ONBOARDING_ADMIN_SECRET: 'Zc4nAryQ-short' }],
    [3, 'a short previous admin secret', { HERO_ONBOARDING_ADMIN_SECRET_PREVIOUS: 'Zc4nAryQ-short' }],
    [3, 'a long admin secret that repeats itself', { HERO_ONBOARDING_ADMIN_SECRET: 'Zc4nAryQwe'.repeat(6) }],
    [4, 'an admin secret that is the session key', { HERO_ONBOARDING_ADMIN_SECRET: strong('s') }],
    [4, 'an admin secret from a document', { HERO_ONBOARDING_ADMIN_SECRET: `changeme-${strong('a')}` }],
    [5, 'no session key', { HERO_ONBOARDING_SESSION_KEY: '' }],
    [5, 'a session key of 32 hex digits', { HERO_ONBOARDING_SESSION_KEY: '0f1e2d3c4b5a69788796a5b4c3d2e1f0' }],
    [6, 'a short encryption key', { HERO_ONBOARDING_ENCRYPTION_KEY: 'Zc4nAryQ-short' }],
    [7, 'a provider key without a webhook secret', { STRIPE_WEBHOOK_SECRET: '' }],
    [7, 'a webhook secret without a provider key', { STRIPE_SECRET_KEY: '' }],
    [7, 'a short webhook secret', { STRIPE_WEBHOOK_SECRET: 'whsec_Zc4nAryQ' }],
    [7, 'mobile money without a checksum key', CLICKPESA],
    [7, 'a checksum key without mobile money', { CLICKPESA_CHECKSUM_KEY: 'CHKZc4nAryQp3Vd9Lk2Xw7' }],
    [7, 'a short checksum key', { ...CLICKPESA, CLICKPESA_CHECKSUM_KEY: 'CHKZc4nAryQ' }],
    [
      7,
      'a short previous checksum key',
      { ...CLICKPESA, ...PREVIOUS_KEY, CLICKPESA_CHECKSUM_KEY: 'CHKZc4nAryQp3Vd9Lk2Xw7' },
    ],
    [7, 'a BTCPay Server without a webhook secret', { BTCPAY_WEBHOOK_SECRET: '' }],
    [7, 'a short webhook secret of BTCPay Server', { BTCPAY_WEBHOOK_SECRET: 'Zc4nAryQ' }],
    [46, 'a BTCPay Server over http', { BTCPAY_URL: 'http://pay.example.org' }],
    [8, 'a test key', { STRIPE_SECRET_KEY: 'sk_test_Zc4nAryQ' }],
    [8, 'a restricted test key', { STRIPE_SECRET_KEY: 'rk_test_Zc4nAryQ' }],
    [9, 'no account', { STRIPE_ACCOUNT_ID: '' }],
    [10, 'a webhook secret that is the API key', { STRIPE_WEBHOOK_SECRET: GOOD['STRIPE_SECRET_KEY'] }],
    [10, 'the Forge’s token and the admin secret the same', { FORGE_USAGE_TOKEN: strong('a') }],
    [23, 'a sign-in through a Forge over http', { FORGE_URL: 'http://git.example.org' }],
    [23, 'an issuer over http', { OIDC_ISSUER: 'http://id.example.org' }],
    [23, 'a short secret of the Forge’s client', { FORGE_CLIENT_SECRET: 'gto_Zc4nAryQ' }],
    [23, 'a made-up secret of the issuer’s client', { OIDC_CLIENT_SECRET: `changeme-${strong('x')}` }],
    [10, 'the Forge’s client secret and the session key the same', { FORGE_CLIENT_SECRET: strong('s') }],
    [43, 'a Forge over http', { FORGE_URL: 'http://git.example.org' }],
    [44, 'a short token for the Forge', { FORGE_USAGE_TOKEN: 'short' }],
    [44, 'a made-up token for the Forge', { FORGE_USAGE_TOKEN: '0'.repeat(40) }],
    [49, 'a Mycelium daemon on another machine', { MYCELIUM_API_URL: 'http://10.0.0.7:8989' }],
    [50, 'a back end for VMs over http', { HERO_ONBOARDING_PROVISIONER_URL: 'http://vms.example.org' }],
    [50, 'a back end for VMs with a short token', { HERO_ONBOARDING_PROVISIONER_TOKEN: 'token' }],
    [50, 'VMs from a back end that is not named', { HERO_ONBOARDING_PROVISIONER: 'http', ...NO_BACK_END }],
    [12, 'a redirected API', { STRIPE_API_BASE: 'http://127.0.0.1:1234' }],
    [12, 'a redirected mobile money API', { CLICKPESA_API_URL: 'http://127.0.0.1:1234' }],
    [12, 'the checksum of before 2026', { CLICKPESA_CHECKSUM_METHOD: 'legacy' }],
    [10, 'a checksum key that is the API key', { ...CLICKPESA, CLICKPESA_CHECKSUM_KEY: CLICKPESA.CLICKPESA_API_KEY }],
    [12, 'unchecked certificates', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
    [12, 'an open debugger', { NODE_OPTIONS: '--inspect=0.0.0.0' }],
    [16, 'a database without TLS', { DATABASE_URL: 'postgres://app:Zc4nAryQ@db.internal/wallet' }],
    [
      16,
      'an owner connection without verification',
      { HERO_ONBOARDING_MIGRATION_DATABASE_URL: 'postgres://o:Zc4nAryQ@db.internal/w?sslmode=require' },
    ],
    [24, 'no admin at all', { HERO_ONBOARDING_ADMIN_SECRET: '' }],
    [24, 'an admin secret that is switched off', { HERO_ONBOARDING_ADMIN_SECRET_USE: 'off' }],
    [26, 'everybody as a trusted proxy', { HERO_ONBOARDING_TRUSTED_PROXIES: '0.0.0.0/0' }],
    [25, 'cookies without https', { HERO_ONBOARDING_PUBLIC_URL: 'http://wallet.example.org' }],
    [25, 'a public address with a path', { HERO_ONBOARDING_PUBLIC_URL: 'https://example.org/wallet' }],
    [28, 'a top-up limit of a million', { HERO_ONBOARDING_TOP_UP_MAX: '1000000' }],
    [28, 'a hold limit of a million', { HERO_ONBOARDING_HOLD_MAX: '1000000' }],
    [30, 'debug lines', { HERO_ONBOARDING_LOG_LEVEL: 'debug' }],
    [31, 'metrics for anyone', { HERO_ONBOARDING_METRICS: 'anyone' }],
  ];
  for (const [id, what, change] of bad) {
    it(`L11 check ${id} finds ${what}`, () => {
      expect(failing(CONFIGURATION_CHECKS, configurationFacts(change))).toContain(id);
    });
  }

  it('L11 every check of the settings is tried with a bad configuration', () => {
    expect(new Set(bad.map(([id]) => id))).toEqual(new Set(CONFIGURATION_CHECKS.map(({ id }) => id)));
  });

  it('L11 a socket or a loopback address needs no TLS', () => {
    for (const url of [
      'postgres://app@localhost/x',
      'postgres://app@127.0.0.1/x',
      'postgres://app@x/y?host=%2Frun%2Fpg',
    ]) {
      expect(failing(CONFIGURATION_CHECKS, configurationFacts({ DATABASE_URL: url }))).toEqual([]);
    }
  });

  it('L11 no report on a bad configuration holds a secret or an address', () => {
    for (const [, , change] of bad) {
      const results = judgeAll(CONFIGURATION_CHECKS, configurationFacts(change));
      expect(reportText(results) + reportJson(results)).not.toMatch(/Zc4nAryQ/i);
    }
  });
});

describe('machine', () => {
  const good: MachineFacts = {
    uid: 1000,
    nodeVersion: 'v24.21.0',
    readableByOthers: [],
    diskFreeShare: 0.5,
    packagesAstray: [],
  };
  const bad: readonly (readonly [number, string, Partial<MachineFacts>])[] = [
    [38, 'a disk that is nearly full', { diskFreeShare: 0.1 }],
    [39, 'root', { uid: 0 }],
    [39, 'a secret file that others may read', { readableByOthers: ['.env'] }],
    [40, 'an old Node', { nodeVersion: 'v20.20.2' }],
    [40, 'a package that is not the locked one', { packagesAstray: ['hono'] }],
  ];

  it('L11 a good machine passes', () => expect(failing(MACHINE_CHECKS, good)).toEqual([]));
  for (const [id, what, change] of bad) {
    it(`L11 check ${id} finds ${what}`, () => expect(failing(MACHINE_CHECKS, { ...good, ...change })).toEqual([id]));
  }
});

describe('database', () => {
  let database: TestDatabase;
  let good: DatabaseCheckFacts;
  beforeAll(async () => {
    database = await testDatabase();
    const facts = await inspectDatabase(database.db, () => new Date());
    // A test server runs without fsync, for speed; everything else is judged as it is.
    const settings = {
      ...facts.settings,
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
    };
    good = { ...facts, settings, poolMax: 10, connectionsMax: 100, stripeAccountId: 'acct_1', brokenPromises: [] };
  });
  afterAll(() => database.close());

  it('L11 a migrated database passes as the application’s role', () => {
    expect(failing(DATABASE_CHECKS, good)).toEqual([]);
    expect(good.settings).toHaveProperty('data_sync_retry');
  });

  const bad: readonly (readonly [number, string, (facts: DatabaseCheckFacts) => Partial<DatabaseCheckFacts>])[] = [
    [13, 'an old PostgreSQL', () => ({ versionNumber: 140_009 })],
    ...(['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums'] as const).map(
      (name) =>
        [
          14,
          `${name} off`,
          (facts: DatabaseCheckFacts) => ({ settings: { ...facts.settings, [name]: 'off' } }),
        ] as const,
    ),
    [14, 'data_sync_retry on', (facts) => ({ settings: { ...facts.settings, data_sync_retry: 'on' } })],
    [15, 'a replica', () => ({ isReplica: true })],
    [15, 'a read-only database', () => ({ isReadOnly: true })],
    [17, 'a right to update entries', () => ({ rightsTooMany: ['entry: UPDATE'] })],
    [17, 'an application that owns the ledger', () => ({ isTableOwner: true })],
    [17, 'an application that is a superuser', () => ({ isSuperuser: true })],
    [18, 'a trigger that is gone', () => ({ guardsAbsent: ['entry__append_only'] })],
    [19, 'an older schema', () => ({ migrationsMissing: ['0002-payment.sql'] })],
    [19, 'a newer schema', () => ({ migrationsMissing: null })],
    [20, 'no lock timeout', (facts) => ({ settings: { ...facts.settings, lock_timeout: '0' } })],
    [21, 'too few connections', () => ({ poolMax: 90 })],
    [22, 'a clock five seconds ahead', () => ({ clockAheadMs: 5_000 })],
    [22, 'a clock five seconds behind', () => ({ clockAheadMs: -5_000 })],
    [34, 'a broken ledger', () => ({ brokenPromises: ['L01'] })],
    [36, 'another currency', () => ({ currencies: ['USD', 'TZS'] })],
    [37, 'a webhook that waits', () => ({ oldestWebhookMinutes: 60 })],
    [37, 'a job that waits', () => ({ oldestJobMinutes: 60 })],
    [41, 'test payments', () => ({ testPayments: 1n })],
    [41, 'payments of another account', () => ({ providerAccounts: ['acct_2'] })],
    [51, 'a clock that a sandbox has moved', () => ({ sandboxAheadMs: 1n })],
  ];
  for (const [id, what, change] of bad) {
    it(`L11 check ${id} finds ${what}`, () => {
      expect(failing(DATABASE_CHECKS, { ...good, ...change(good) })).toEqual([id]);
    });
  }

  it('L11 every check of the database is tried with a bad one', () => {
    expect(new Set(bad.map(([id]) => id))).toEqual(new Set(DATABASE_CHECKS.map(({ id }) => id)));
  });

  it('L11 check 17 finds the owner’s rights in a real database, and check 18 a trigger that the owner disabled', async () => {
    const asOwner = await inspectDatabase(database.owner, () => new Date());
    expect(failing(DATABASE_CHECKS, { ...good, ...asOwner, settings: good.settings })).toContain(17);
    await database.owner.query({ name: 'test.disable', text: 'alter table entry disable trigger entry__append_only' });
    const disabled = await inspectDatabase(database.db, () => new Date());
    expect(disabled.guardsAbsent).toEqual(['entry__append_only']);
    await database.owner.query({ name: 'test.enable', text: 'alter table entry enable trigger entry__append_only' });
    await database.owner.query({
      name: 'test.drop',
      text: 'alter table account drop constraint account__balance_is_above_floor',
    });
    const dropped = await inspectDatabase(database.db, () => new Date());
    expect(dropped.guardsAbsent).toEqual(['account__balance_is_above_floor']);
  });
});

describe('network', () => {
  const bad: readonly (readonly [NetworkFacts['webhook'], string])[] = [
    ['redirected', 'a proxy that redirects'],
    ['other_answer', 'another program at the address'],
    ['not_configured', 'a server without a webhook secret'],
  ];
  it('L11 check 11 passes a server that refuses an unsigned webhook', () =>
    expect(failing(NETWORK_CHECKS, { webhook: 'refused_as_unsigned' })).toEqual([]));
  for (const [webhook, what] of bad) {
    it(`L11 check 11 finds ${what}`, () => expect(failing(NETWORK_CHECKS, { webhook })).toEqual([11]));
  }

  it.each([
    [() => Response.json({ code: 'signature_missing' }, { status: 400 }), 'refused_as_unsigned'],
    [() => Response.json({ code: 'webhook_not_configured' }, { status: 503 }), 'not_configured'],
    [() => new Response('<html>', { status: 200 }), 'other_answer'],
    [() => new Response(null, { status: 301 }), 'redirected'],
    [() => Promise.reject(new Error('connection refused')), 'no_answer'],
  ])('L11 check 11 tells what answers: %#', async (answer, expected) => {
    const ports = testPorts({ http: { fetch: async () => answer() } });
    expect(await probeWebhook(ports, 'https://wallet.example.org/webhooks/stripe')).toBe(expected);
  });
});

describe('the whole command', () => {
  const ports = systemPorts({ log: systemLog('silent') });

  it('L11 settings that cannot be read are an error, named and without their value', async () => {
    const results = await runChecks(
      { HERO_ONBOARDING_LISTEN: CANARY, HERO_ONBOARDING_SESSION_KEY: `${CANARY} x` },
      ports,
    );
    expect(isReady(results)).toBe(false);
    expect(reportText(results)).toContain('HERO_ONBOARDING_LISTEN must be host:port');
    expect(reportText(results) + reportJson(results)).not.toContain(CANARY);
  });

  it('L11 a database that cannot be reached is an error, and what it would have shown is "not checked"', async () => {
    const env = {
      ...GOOD,
      HERO_ONBOARDING_PUBLIC_URL: '',
      DATABASE_URL: `postgres://app:${CANARY}@127.0.0.1:1/x`,
      HERO_ONBOARDING_MIGRATION_DATABASE_URL: '',
    };
    const results = await runChecks(env, ports);
    const report: unknown = JSON.parse(reportJson(results));
    expect(report).toMatchObject({ is_ready: false, not_checked: DATABASE_CHECKS.length });
    expect(reportText(results) + reportJson(results)).not.toContain(CANARY);
  });

  it('L11 a database that is there is judged', async () => {
    const database = await testDatabase();
    try {
      const results = await runChecks(
        {
          ...GOOD,
          HERO_ONBOARDING_PUBLIC_URL: '',
          DATABASE_URL: database.url,
          HERO_ONBOARDING_MIGRATION_DATABASE_URL: '',
        },
        ports,
      );
      const levels = new Map(results.map(({ id, findings }) => [id, findings?.length ?? null]));
      for (const id of [13, 15, 18, 19, 20, 22, 34, 36, 37, 41]) expect([id, levels.get(id)]).toEqual([id, 0]);
    } finally {
      await database.close();
    }
  });
});

describe('the page', () => {
  it('L11 there are at least twenty checks and no number is used twice', () => {
    const ids = ALL_CHECKS.map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(20);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('L11 the page explains every check', () => {
    for (const { id, title, remedy } of ALL_CHECKS) {
      expect(prodCheckPage()).toContain(`## ${id}. ${title}\n`);
      expect(prodCheckPage()).toContain(remedy);
    }
  });
});
