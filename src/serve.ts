import process from 'node:process';
import type { Config } from './config.ts';
import type { ListenAddress } from './config/kinds.ts';
import type { House } from './operations/house.ts';
import type { Ports } from './ports/ports.ts';
import { beginNowOrLater, behindGate } from './serve/begin.ts';
import { movableClockOf } from './serve/sandbox-clock.ts';
import { greeting } from './serve/greeting.ts';
import { guardProcess, stopInTime, stopSignal } from './serve/guards.ts';
import { addressRefused, reserveAddress } from './serve/port.ts';
import {
  openBtcpaySimulator,
  openClickPesaSimulator,
  openForgeSimulator,
  openMyceliumSimulator,
  openProvisionerSimulator,
  openStripeSimulator,
  type Simulators,
} from './serve/simulators.ts';
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
  readonly clickpesaUrl: string | null;
  /** The repository for usage of the simulated Forge. */
  readonly btcpayUrl: string | null;
  readonly forgeUrl: string | null;
  /** Null: no simulated Mycelium network was started. */
  readonly myceliumUrl: string | null;
  /** Null: no simulated back end for VMs was started. */
  readonly provisionerUrl: string | null;
  readonly database: string;
  readonly house: House;
  /** Rejects when the server started without its database, and the one that came is not one to work with. */
  readonly begun: Promise<void>;
  /** In the order in which things depend on one another; finishes what runs. Again: the same promise. */
  stop(): Promise<void>;
}

/** The whole life of a server process; answers its exit code. */
export async function serveUntilStopped(options: ServeOptions): Promise<number> {
  const { ports, config, version } = options;
  const removeGuards = guardProcess(ports);
  const signalled = stopSignal();
  try {
    const startedMs = ports.clock.monotonicMs();
    const server = await serve(options);
    ports.log.debug({ ms: Math.round(ports.clock.monotonicMs() - startedMs) }, 'started');
    process.stdout.write(greeting({ config, version, ...server }));
    try {
      const signal = await Promise.race([signalled, server.begun.then(() => signalled)]);
      ports.log.info({ signal }, 'stopping');
    } finally {
      await stopInTime(ports, () => server.stop());
    }
    ports.log.info({}, 'stopped');
    return 0;
  } finally {
    removeGuards();
  }
}

/**
 * Builds the house and opens its doors. What was started is stopped again when a later part refuses to start.
 *
 * Does not wait for a database that is elsewhere and does not answer: the doors open all the same, and say 503.
 * Throws `StartRefused`, or another error whose message is a sentence, when the address or the simulator cannot be had, or
 * the database is not one to work with.
 */
export async function serve({ config: given, ports: givenPorts, version }: ServeOptions): Promise<RunningServer> {
  const opened = new AsyncDisposableStack();
  try {
    const { ports, movableClock } = movableClockOf(given, givenPorts);
    await refuseUnsafe(given, ports, null);
    const address = await reserveAddress(given.listen);
    const config = withAddress(given, address);
    // Loading modules takes as long as starting PostgreSQL does: at the same time.
    const [{ store, simulators }, doors] = await Promise.all([openAll(config, ports, opened), loadDoors()]);
    let isFit = false;
    const gated = { ...store, db: behindGate(store.db, () => isFit) };
    const house = doors.buildHouse(config, ports, { store: gated, simulators, movableClock });
    opened.defer(() => house.lanes.close());
    const begin = async (): Promise<void> => {
      await store.bringUpToDate();
      await refuseUnsafe(config, ports, store);
      isFit = true;
      await doors.takeOverTime(house);
      await doors.compareClocks(house);
      await startWorkers(doors, house, store, opened);
    };
    const ending = new AbortController();
    const { isLate, begun } = await beginNowOrLater(begin, ports, ending.signal);
    const { url, beginStop } = await openDoors(doors, { config, house, store: gated, version }, opened);
    let stopping: Promise<void> | null = null;
    const stop = async (): Promise<void> => {
      beginStop();
      ending.abort();
      await begun.catch(() => undefined);
      await opened.disposeAsync();
    };
    return {
      url,
      simulatorUrl: simulators.stripe?.url ?? null,
      clickpesaUrl: simulators.clickpesa?.url ?? null,
      btcpayUrl: simulators.btcpay?.url ?? null,
      forgeUrl: simulators.forge?.url ?? null,
      myceliumUrl: simulators.mycelium?.url ?? null,
      provisionerUrl: simulators.provisioner?.url ?? null,
      database: isLate ? `${store.description}, which does not answer yet` : store.description,
      house,
      begun,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

type Doors = Awaited<ReturnType<typeof loadDoors>>;

async function loadDoors() {
  const [house, app, server, jobs, postgres, ping, follow, compare] = await Promise.all([
    import('./serve/house.ts'),
    import('./http/app.ts'),
    import('./http/server.ts'),
    import('./jobs/start.ts'),
    import('./store/postgres.ts'),
    import('./store/ping.ts'),
    import('./operations/clock/follow.ts'),
    import('./operations/clock/compare.ts'),
  ]);
  return { ...house, ...app, ...server, ...jobs, ...postgres, ...ping, ...follow, ...compare };
}

async function startWorkers(
  doors: Doors,
  house: House,
  store: OpenedStore,
  opened: AsyncDisposableStack,
): Promise<void> {
  const openPool = () =>
    doors.openWorkerPool({ url: store.url, ports: house.ports, poolMax: doors.WORKER_CONNECTIONS });
  const jobs = await doors.startJobs(house, { openPool });
  opened.defer(() => jobs.stop());
}

interface Inside {
  readonly config: Config;
  readonly house: House;
  readonly store: OpenedStore;
  readonly version: string;
}

/** The last step of the start and the first of the stop. `beginStop`: not ready any more, but still answering. */
async function openDoors(
  doors: Doors,
  { config, house, store, version }: Inside,
  opened: AsyncDisposableStack,
): Promise<{ readonly url: string; readonly beginStop: () => void }> {
  let isStopping = false;
  const app = doors.buildHttp(house, {
    adminSecrets: doors.adminSecretsOf(config),
    reserved: store.db.reserved,
    ping: () => doors.pingDatabase(store.db.reserved),
    isStopping: () => isStopping,
    queueDepth: () => house.lanes.depth,
    metrics: config.metrics,
    version,
  });
  const { clock, log } = house.ports;
  try {
    const listening = await doors.listen(app, { ...config.listen, clock, log });
    opened.defer(() => listening.stop());
    return { url: listening.url, beginStop: () => (isStopping = true) };
  } catch (error) {
    throw error instanceof Error ? addressRefused(error, config.listen) : error;
  }
}

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
): Promise<{ store: OpenedStore; simulators: Simulators }> {
  const [store, stripe, clickpesa, btcpay, forge, mycelium, provisioner] = await Promise.allSettled([
    openStore(config, ports, { leavesSchema: true }),
    openStripeSimulator(config, ports),
    openClickPesaSimulator(config, ports),
    openBtcpaySimulator(config, ports),
    openForgeSimulator(config, ports),
    openMyceliumSimulator(config, ports),
    openProvisionerSimulator(config, ports),
  ]);
  if (store.status === 'fulfilled') stack.defer(() => store.value.close());
  if (stripe.status === 'fulfilled') stack.defer(() => stripe.value?.stop());
  const simulators = [stripe, clickpesa, btcpay, forge, mycelium, provisioner];
  for (const one of simulators) if (one.status === 'fulfilled') stack.defer(() => one.value?.stop());
  if (store.status === 'rejected') throw store.reason;
  if (stripe.status === 'rejected') throw stripe.reason;
  if (clickpesa.status === 'rejected') throw clickpesa.reason;
  if (btcpay.status === 'rejected') throw btcpay.reason;
  if (forge.status === 'rejected') throw forge.reason;
  if (mycelium.status === 'rejected') throw mycelium.reason;
  if (provisioner.status === 'rejected') throw provisioner.reason;
  const opened = {
    stripe: stripe.value,
    clickpesa: clickpesa.value,
    btcpay: btcpay.value,
    forge: forge.value,
    mycelium: mycelium.value,
    provisioner: provisioner.value,
  };
  return { store: store.value, simulators: opened };
}

/** Production does not start with what `--check-prod-config` calls an error; nothing but a sandbox starts in the time of one. */
async function refuseUnsafe(config: Config, ports: Ports, store: OpenedStore | null): Promise<void> {
  if (config.mode === 'sandbox') return;
  const { refuseMovedClock, refuseUnsafeDatabase, refuseUnsafeSettings } = await import('./prod-check/start.ts');
  if (config.mode === 'test') {
    if (store !== null) await refuseMovedClock(store.db);
    return;
  }
  if (store === null) refuseUnsafeSettings(config);
  else await refuseUnsafeDatabase(config, ports, store.db);
}
