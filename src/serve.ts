import { houseSettings, type Config } from './config.ts';
import type { ListenAddress } from './config/kinds.ts';
import type { House } from './operations/house.ts';
import type { Ports } from './ports/ports.ts';
import { stripeProvider } from './providers/stripe/index.ts';
import type { PaymentProvider } from './providers/provider.ts';
import { failClosed } from './serve/fail-closed.ts';
import { greeting } from './serve/greeting.ts';
import { guardProcess, stopInTime, stopSignal } from './serve/guards.ts';
import { addressRefused, reserveAddress } from './serve/port.ts';
import { startSimulator, type Simulator } from './serve/simulator.ts';
import { openStore, type OpenedStore } from './serve/store.ts';

export interface ServeOptions {
  /** Complete: `withSandboxSecrets` has been applied. */
  readonly config: Config;
  readonly ports: Ports;
  readonly version: string;
}

export interface RunningServer {
  /** Where it listens, with the port that was given out. */
  readonly url: string;
  readonly simulatorUrl: string | null;
  readonly database: string;
  readonly house: House;
  /** In the order in which things depend on one another; finishes what runs. Again: the same promise. */
  stop(): Promise<void>;
}

/** The whole life of a server process; answers its exit code. */
export async function serveUntilStopped(options: ServeOptions): Promise<number> {
  const { ports, config, version } = options;
  const removeGuards = guardProcess(ports);
  const signalled = stopSignal();
  try {
    const server = await serve(options);
    process.stdout.write(greeting({ config, version, ...server }));
    const signal = await signalled;
    ports.log.info({ signal }, 'stopping');
    await stopInTime(ports, () => server.stop());
    ports.log.info({}, 'stopped');
    return 0;
  } finally {
    removeGuards();
  }
}

/**
 * Builds the house and opens its doors. What was started is stopped again when a later part refuses to start.
 *
 * Throws `StartRefused`, or another error whose message is a sentence, when the address, the database or the simulator
 * cannot be had.
 */
export async function serve({ config: given, ports, version }: ServeOptions): Promise<RunningServer> {
  const timing = stopwatch(ports);
  const stack = new AsyncDisposableStack();
  try {
    await refuseUnsafe(given, ports, null);
    const address = await reserveAddress(given.listen);
    const config = withAddress(given, address);
    const opening = openAll(config, ports, stack);
    // Loading them takes as long as starting PostgreSQL does: at the same time.
    const [{ store, simulator }, { buildHttp }, { listen }, { startJobs }, { openWorkerPool }] = await Promise.all([
      opening,
      import('./http/app.ts'),
      import('./http/server.ts'),
      import('./jobs/start.ts'),
      import('./store/postgres.ts'),
    ]);
    timing('database and simulator');
    await refuseUnsafe(config, ports, store);
    const house = await buildHouse(config, ports, store, simulator);
    stack.defer(() => house.lanes.close());
    const pool = openWorkerPool({ url: store.url, ports, poolMax: WORKER_CONNECTIONS });
    stack.defer(() => pool.end());
    const jobs = await startJobs(house, { pool });
    stack.defer(() => jobs.stop());
    timing('jobs');
    let isStopping = false;
    const { pingDatabase } = await import('./store/ping.ts');
    const app = buildHttp(house, {
      adminSecrets: adminSecretsOf(config),
      ping: () => pingDatabase(store.db.reserved),
      isStopping: () => isStopping,
      queueDepth: () => house.lanes.depth,
      metrics: config.metrics,
      version,
    });
    const listening = await listen(app, { ...address, clock: ports.clock, log: ports.log }).catch((error: unknown) => {
      throw error instanceof Error ? addressRefused(error, address) : error;
    });
    stack.defer(() => listening.stop());
    timing('listening');
    const stop = async (): Promise<void> => {
      isStopping = true;
      await stack.disposeAsync();
    };
    let stopping: Promise<void> | null = null;
    return {
      url: listening.url,
      simulatorUrl: simulator?.url ?? null,
      database: store.description,
      house,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** One to listen, three for jobs that run. */
const WORKER_CONNECTIONS = 4;

/** Port 0 has become a number; addresses that were derived from it follow. */
function withAddress(config: Config, listen: ListenAddress): Config {
  if (config.origins.get('publicUrl') !== 'derived') return { ...config, listen };
  const url = new URL(config.publicUrl);
  url.port = String(listen.port);
  return { ...config, listen, publicUrl: url.origin };
}

async function openAll(
  config: Config,
  ports: Ports,
  stack: AsyncDisposableStack,
): Promise<{ store: OpenedStore; simulator: Simulator | null }> {
  const [store, simulator] = await Promise.allSettled([openStore(config, ports), openSimulator(config, ports)]);
  if (store.status === 'fulfilled') stack.defer(() => store.value.close());
  if (simulator.status === 'fulfilled') stack.defer(() => simulator.value?.stop());
  if (store.status === 'rejected') throw store.reason;
  if (simulator.status === 'rejected') throw simulator.reason;
  return { store: store.value, simulator: simulator.value };
}

/** Sandbox mode without an address of another simulator brings its own. */
async function openSimulator(config: Config, ports: Ports): Promise<Simulator | null> {
  const { mode, stripeApiBase, stripeSecretKey: secretKey, stripeWebhookSecret: webhookSecret } = config;
  if (mode !== 'sandbox' || stripeApiBase !== null || secretKey === null || webhookSecret === null) return null;
  const host = /^(0\.0\.0\.0|::)$/.test(config.listen.host) ? '127.0.0.1' : config.listen.host;
  const webhookUrl = `http://${host.includes(':') ? `[${host}]` : host}:${config.listen.port}/webhooks/stripe`;
  return await startSimulator({ secretKey, webhookUrl, webhookSecret, ports });
}

async function buildHouse(
  config: Config,
  ports: Ports,
  store: OpenedStore,
  simulator: Simulator | null,
): Promise<House> {
  const [{ openPostingLanes }, { graphileJobs }] = await Promise.all([
    import('./store/posting-lanes.ts'),
    import('./store/jobs.ts'),
  ]);
  const { lanes, batchRecordsMax, queueMax } = config;
  return {
    ports,
    db: store.db,
    lanes: failClosed(openPostingLanes(store.db, ports, { lanes, batchRecordsMax, queueMax }), ports),
    jobs: graphileJobs(),
    providers: providersOf(config, ports, simulator),
    settings: houseSettings(config),
  };
}

function providersOf(config: Config, ports: Ports, simulator: Simulator | null): ReadonlyMap<string, PaymentProvider> {
  const providers = new Map<string, PaymentProvider>();
  if (config.stripeSecretKey !== null) {
    const webhookSecrets = {
      current: config.stripeWebhookSecret ?? undefined,
      previous: config.stripeWebhookSecretPrevious ?? undefined,
      previousUntil: config.stripeWebhookSecretPreviousUntil ?? undefined,
    };
    const apiBase = simulator?.url ?? config.stripeApiBase ?? undefined;
    const accountId = config.stripeAccountId ?? undefined;
    providers.set(
      'stripe',
      stripeProvider({ secretKey: config.stripeSecretKey, webhookSecrets, apiBase, accountId, ports }),
    );
  }
  return providers;
}

function adminSecretsOf(config: Config): { id: string; secret: string }[] {
  const secrets = [];
  if (config.adminSecret !== null) secrets.push({ id: 'current', secret: config.adminSecret });
  if (config.adminSecretPrevious !== null) secrets.push({ id: 'previous', secret: config.adminSecretPrevious });
  return secrets;
}

function stopwatch(ports: Ports): (what: string) => void {
  const startedMs = ports.clock.monotonicMs();
  return (what) => ports.log.debug({ what, ms: Math.round(ports.clock.monotonicMs() - startedMs) }, 'start');
}

/** Production does not start with what `--check-prod-config` calls an error. */
async function refuseUnsafe(config: Config, ports: Ports, store: OpenedStore | null): Promise<void> {
  if (config.mode !== 'production') return;
  const { refuseUnsafeDatabase, refuseUnsafeSettings } = await import('./prod-check/start.ts');
  if (store === null) refuseUnsafeSettings(config);
  else await refuseUnsafeDatabase(config, ports, store.db);
}
