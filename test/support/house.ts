import { MICROS_PER_USD } from '../../src/domain/money.ts';
import { Clocks } from '../../src/operations/clock/clocks.ts';
import type { House, HouseSettings, Jobs } from '../../src/operations/house.ts';
import type { Tick } from '../../src/operations/tick.ts';
import { TICKS } from '../../src/jobs/ticks.ts';
import type { MovableClock } from '../../src/ports/movable-clock.ts';
import { poolProvisioner } from '../../src/operations/allocation/pool-provisioner.ts';
import type { Mailer, Ports } from '../../src/ports/ports.ts';
import type { Messenger } from '../../src/providers/messenger.ts';
import type { IdentityProvider } from '../../src/providers/identity-provider.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import type { Provisioner } from '../../src/providers/provisioner.ts';
import type { UsageRepository } from '../../src/providers/usage-repository.ts';
import type { Db } from '../../src/store/db.ts';
import { graphileJobs } from '../../src/store/jobs.ts';
import { openPostingLanes } from '../../src/store/posting-lanes.ts';

export interface TestHouseOptions {
  readonly db: Db;
  readonly ports: Ports;
  /** None by default: a house without payment providers. */
  readonly providers?: readonly PaymentProvider[];
  /** Besides the pool; one of its name stands in for it. */
  readonly provisioners?: readonly Provisioner[];
  readonly identityProviders?: readonly IdentityProvider[];
  readonly usageRepository?: UsageRepository;
  readonly mailer?: Mailer;
  readonly messenger?: Messenger;
  /** The clock of `ports`, where it is one that can be moved. */
  readonly movableClock?: MovableClock;
  /** By default what a server does by the clock. */
  readonly ticks?: readonly Tick[];
  readonly settings?: Partial<HouseSettings>;
  /** By default the real queue's table; nobody works on it unless the test starts a worker. */
  readonly jobs?: Jobs;
}

export const TEST_SETTINGS: HouseSettings = {
  mode: 'sandbox',
  publicUrl: 'http://127.0.0.1:9920',
  topUpMin: 5n * MICROS_PER_USD,
  topUpMax: 1_000n * MICROS_PER_USD,
  topUpPresets: [10n, 25n, 50n, 100n].map((dollars) => dollars * MICROS_PER_USD),
  openPaymentsMax: 5,
  holdMax: 500n * MICROS_PER_USD,
  isRefundSelfService: false,
  refundWindowDays: 30,
  refundSpent: 'deny',
  refundApprovalAbove: null,
  usageOwedMax: 5n * MICROS_PER_USD,
  lowBalance: 2n * MICROS_PER_USD,
  provisioner: 'pool',
  warningHours: [72, 24, 4],
  graceHours: 72,
  suspendedDays: 14,
  rescueHours: 24,
  planMissedPeriods: 'charge',
  disputeFreeze: 'wallet',
  leaseMax: 20n * MICROS_PER_USD,
  leaseSecondsMax: 7_200,
  sessionHours: 12,
  sessionIdleMinutes: 30,
  hasAdminSecret: true,
  financeDailyLimit: null,
  trustedProxies: [],
  operators: [],
  roleClaims: { forge: null, oidc: null },
  encryptionKeys: ['a key that only tests seal secrets with'],
  endpointNetworks: [],
  issuer: { name: 'Test House', address: ['1 Test Street'], taxNumber: null, tax: null },
  sessionKey: 'a key that only tests sign cursors with',
};

/** A house as the composition root builds it, over a test's database and ports. Several on one database are several processes. */
export function testHouse(options: TestHouseOptions): House {
  const { db, ports } = options;
  return {
    ports,
    db,
    lanes: openPostingLanes(db, ports, { lanes: 2, batchRecordsMax: 1_000, queueMax: 10_000 }),
    jobs: options.jobs ?? graphileJobs(),
    providers: new Map((options.providers ?? []).map((provider) => [provider.name, provider])),
    provisioners: new Map(
      [poolProvisioner(options), ...(options.provisioners ?? [])].map((provisioner) => [provisioner.name, provisioner]),
    ),
    identityProviders: new Map((options.identityProviders ?? []).map((provider) => [provider.name, provider])),
    usageRepository: options.usageRepository ?? null,
    mailer: options.mailer ?? null,
    messenger: options.messenger ?? null,
    movableClock: options.movableClock ?? null,
    clocks: new Clocks(ports.clock, options.movableClock ?? null),
    ticks: options.ticks ?? TICKS,
    settings: { ...TEST_SETTINGS, ...options.settings },
  };
}
