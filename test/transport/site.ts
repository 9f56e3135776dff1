import { buildHttp } from '../../src/http/app.ts';
import type { App, HttpOptions } from '../../src/http/context.ts';
import { TICKS } from '../../src/jobs/ticks.ts';
import { Clocks } from '../../src/operations/clock/clocks.ts';
import { UNDECLARED } from '../../src/operations/run.ts';
import type { House, HouseSettings } from '../../src/operations/house.ts';
import { poolProvisioner } from '../../src/operations/allocation/pool-provisioner.ts';
import type { Messenger } from '../../src/providers/messenger.ts';
import type { IdentityProvider } from '../../src/providers/identity-provider.ts';
import type { UsageRepository } from '../../src/providers/usage-repository.ts';
import { PostingQueue } from '../../src/store/posting-lanes.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const ADMIN_SECRET = 'test-admin-secret-of-thirty-two-bytes-and-more';
export const AS_OPERATOR = { 'x-hero-onboarding-admin-secret': ADMIN_SECRET };

export const SETTINGS: HouseSettings = {
  mode: 'sandbox',
  publicUrl: 'http://127.0.0.1:9920',
  topUpMin: 5_000_000n,
  topUpMax: 500_000_000n,
  topUpPresets: [10_000_000n, 25_000_000n],
  openPaymentsMax: 5,
  holdMax: 1_000_000_000n,
  isRefundSelfService: false,
  refundWindowDays: 30,
  refundSpent: 'deny',
  refundApprovalAbove: null,
  usageOwedMax: 5_000_000n,
  lowBalance: 2_000_000n,
  provisioner: 'pool',
  warningHours: [72, 24, 4],
  graceHours: 72,
  suspendedDays: 14,
  rescueHours: 24,
  planMissedPeriods: 'charge',
  disputeFreeze: 'wallet',
  leaseMax: 20_000_000n,
  leaseSecondsMax: 7_200,
  sessionHours: 12,
  sessionIdleMinutes: 30,
  hasAdminSecret: true,
  financeDailyLimit: null,
  trustedProxies: [],
  operators: [],
  roleClaims: { forge: null, oidc: null },
  encryptionKeys: ['test-encryption-key-of-thirty-two-bytes-and-more'],
  endpointNetworks: [],
  issuer: { name: 'Test House', address: ['1 Test Street'], taxNumber: null, tax: null },
  sessionKey: 'test-session-key-of-thirty-two-bytes-and-more',
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; tests read what they expect. */
  readonly json: Record<string, unknown>;
}

export interface TestSite {
  readonly database: TestDatabase;
  readonly ports: TestPorts;
  readonly house: House;
  readonly app: App;
  call(
    method: string,
    path: string,
    request?: { body?: unknown; raw?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** As an operator, with JSON. */
  operator(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  rpc(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A new node with its key as a header. */
  node(options?: Record<string, unknown>): Promise<{ sid: string; headers: Record<string, string> }>;
  /** A new wallet with so many cents in it. */
  wallet(cents?: number): Promise<{ sid: string; userSid: string }>;
  close(): Promise<void>;
}

export interface TestSiteOptions {
  readonly identityProviders?: (ports: TestPorts) => readonly IdentityProvider[];
  readonly usageRepository?: (ports: TestPorts) => UsageRepository;
  readonly messenger?: (ports: TestPorts) => Messenger;
  readonly settings?: Partial<HouseSettings>;
  readonly http?: Partial<HttpOptions>;
}

/** A whole house on a real database, called without a socket. */
export async function testSite(options: TestSiteOptions = {}): Promise<TestSite> {
  const ports = testPorts();
  const database = await testDatabase({ ports });
  const { db } = database;
  const lanes = new PostingQueue(db, ports, { lanes: 2, batchRecordsMax: 1_000, queueMax: 10_000 });
  const house: House = {
    ports,
    db,
    lanes,
    jobs: { enqueue: () => Promise.resolve() },
    providers: new Map(),
    provisioners: new Map([['pool', poolProvisioner({ db: database.db, ports })]]),
    identityProviders: new Map((options.identityProviders?.(ports) ?? []).map((provider) => [provider.name, provider])),
    usageRepository: options.usageRepository?.(ports) ?? null,
    mailer: null,
    messenger: options.messenger?.(ports) ?? null,
    movableClock: null,
    clocks: new Clocks(ports.clock, null),
    ticks: TICKS,
    settings: { ...SETTINGS, ...options.settings },
  };
  const app = buildHttp(house, {
    adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
    ping: async () => void (await db.reserved.query({ name: 'test.ping', text: 'select 1' })),
    ...options.http,
  });
  const call: TestSite['call'] = (method, path, request = {}) => callApp(app, method, path, request);
  const operator: TestSite['operator'] = (method, path, body, headers = {}) =>
    call(method, path, { ...(body === undefined ? {} : { body }), headers: { ...AS_OPERATOR, ...headers } });
  return {
    database,
    ports,
    house,
    app,
    call,
    operator,
    rpc: (body, headers = {}) => operator('POST', '/rpc', body, headers),
    node: async (asked = {}) => {
      const { json } = await operator('POST', '/v1/nodes', { name: `node-${ports.ids.sid().toLowerCase()}`, ...asked });
      return { sid: String(json['sid']), headers: { authorization: `Bearer ${String(json['key'])}` } };
    },
    wallet: async (cents = 0) => await openWallet(operator, cents),
    close: async () => {
      const undeclared = ports.log.lines.filter(({ message }) => message === UNDECLARED);
      if (undeclared.length > 0) throw new Error(`${UNDECLARED}: ${JSON.stringify(undeclared)}`);
      await lanes.close();
      await database.close();
    },
  };
}

async function callApp(
  app: App,
  method: string,
  path: string,
  request: { body?: unknown; raw?: string; headers?: Record<string, string> },
): Promise<Answer> {
  const text = request.raw ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
  const headers = { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...request.headers };
  const response = await app.request(path, { method, headers, ...(text === undefined ? {} : { body: text }) });
  return await answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const body = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text: body,
    json: isJson && body !== '' ? (JSON.parse(body) as Record<string, unknown>) : {},
  };
}

async function openWallet(operator: TestSite['operator'], cents: number): Promise<{ sid: string; userSid: string }> {
  const created = await operator('POST', '/v1/users', { display_name: 'Ada' });
  const billing = created.json['billing'] as { sid: string; user_sid: string };
  if (cents !== 0) await operator('POST', '/admin/balance-adjust', { sid: billing.sid, balance_cents: cents });
  return { sid: billing.sid, userSid: billing.user_sid };
}

/** The problem's code. */
export const codeOf = (answer: Answer): unknown => answer.json['code'];

/** `400 invalid_request`; says more when the problem is not one of ours, so that a comparison fails with the reason. */
export function refusalOf({ status, headers, json }: Answer): string {
  const isOurs =
    headers.get('content-type') === 'application/problem+json' &&
    json['status'] === status &&
    json['type'] === `/docs/errors#${String(json['code'])}` &&
    json['request_id'] === headers.get('x-request-id');
  return `${status} ${String(json['code'])}${isOurs ? '' : ` as ${JSON.stringify(json)}`}`;
}

/** How many rows the tables of money have, for "nothing happened". */
export async function moneyRows(site: TestSite): Promise<bigint> {
  const [row] = await site.database.owner.query<{ rows: bigint }>({
    name: 'test.money_rows',
    text: `select (select count(*) from entry) + (select count(*) from batch_leg) + (select count(*) from declined_posting)
           + (select count(*) from payment) + (select count(*) from hold) as rows`,
  });
  return row?.rows ?? -1n;
}
