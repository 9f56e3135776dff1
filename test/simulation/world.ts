import { sandboxFetch } from '../../sandbox/stripe/in-process.ts';
import { StripeSandbox } from '../../sandbox/stripe/sandbox.ts';
import { keepTicking, TICKS } from '../../src/jobs/ticks.ts';
import { OF_RENTERS, RENTING_TICKS } from './renting/ticks.ts';
import { JOBS } from '../../src/jobs/tasks.ts';
import { Clocks } from '../../src/operations/clock/clocks.ts';
import { poolProvisioner } from '../../src/operations/allocation/pool-provisioner.ts';
import type { House, HouseSettings, JobName, Jobs } from '../../src/operations/house.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { idsFrom } from '../../src/ports/ids.ts';
import { WebhookNotSent, type Log, type Ports } from '../../src/ports/ports.ts';
import { stripeProvider } from '../../src/providers/stripe/index.ts';
import { openPostingLanes } from '../../src/store/posting-lanes.ts';
import type { SharedConnection } from '../../src/store/postgres.ts';
import { TEST_SETTINGS } from '../support/house.ts';
import type { Weather } from './faults.ts';
import { SimForge } from './forge.ts';
import { ISSUER, LISTED_ROLE, LISTED_SUBJECT } from './identities.ts';
import { judgeDelivery } from './judge-deliveries.ts';
import type { Break } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { ProviderNetwork } from './provider-network.ts';
import { Chance } from './random.ts';
import { never, outside, type Life, type Scheduler } from './scheduler.ts';
import { SimDatabase, type Wrote } from './sim-database.ts';

export const WEBHOOK_SECRET = 'whsec_only_the_simulated_world_signs_with_this';
const SECRET_KEY = 'sk_test_only_the_simulated_world_has_this_key';

export interface WorldOptions {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly shared: SharedConnection;
  readonly processes: number;
  /** Whether the jobs that heal what webhooks lost run: without them a lost credit stays lost, and bugs cannot hide. */
  readonly heals: boolean;
  /** How much more rarely than in production the house's ticks come: in slow lives they would be all that happens. */
  readonly tickFactor: number;
  /** Weeks of plans and VMs: only the ticks that they need, as rarely as asked. */
  readonly isRenting: boolean;
  readonly settings?: Partial<HouseSettings>;
  readonly onCommit: (wrote: Wrote) => Promise<void>;
  /** A promise that did not hold, seen from inside the world. */
  readonly onBreak: Break;
  readonly mark: (mark: Mark) => void;
}

/** One server process of the house. Its life ends with a crash; the next one of the same name is another life. */
export interface SimProcess {
  readonly index: number;
  life: Life;
  house: House;
  skewMs: number;
  /** Ends what it does by the clock: with its life, or for another pace. */
  ticks: AbortController;
}

interface QueuedJob {
  readonly name: JobName;
  readonly sid: string;
  readonly runAtMs: number;
  attempt: number;
}

/** Of plans and VMs something happens in hours, of payments in minutes. */
const RARER_WHEN_RENTING = 5;
const RENTING_TICK_WITHIN_MS = 20 * 3_600_000;
const HEALING = new Set(['payments.poll', 'payments.reconcile', 'statements.reconcile', 'webhooks.undelivered']);
/** However rare ticks are, in lives that heal each comes this often. */
const TICK_WITHIN_MS = 2 * 3_600_000;
/** The queue gives a job of a dead worker to another one after this. */
const JOB_LEASE_MS = 10 * 60_000;

/** Several processes of the real house, one database, one provider, in one virtual time. */
export class World {
  readonly options: WorldOptions;
  readonly sandbox: StripeSandbox;
  readonly processes: SimProcess[];
  readonly network: ProviderNetwork;
  readonly forge: SimForge;
  readonly database: SimDatabase;
  /** Gaps in the numbers of nodes that operators were told of. */
  readonly told: { readonly category: string; readonly step: number }[] = [];
  readonly #chance: Chance;
  readonly #weatherLife = outside('weather');
  #pendingJobs: QueuedJob[] = [];
  #generation = 0;
  #tickFactor: number;
  #isTickingAlone = false;

  constructor(options: WorldOptions) {
    const { scheduler, weather, seed, shared } = options;
    this.options = options;
    this.#chance = new Chance(seed, 'world');
    this.#tickFactor = options.tickFactor;
    this.database = new SimDatabase({
      scheduler,
      weather,
      shared,
      isRenting: options.isRenting,
      onBegin: () => (this.#pendingJobs = []),
      onCommit: async (wrote) => {
        const jobs = this.#pendingJobs;
        this.#pendingJobs = [];
        for (const job of jobs) {
          if (weather.strikes('job_lost')) options.mark('the queue loses a job');
          else void this.#work(job);
        }
        await options.onCommit(wrote);
      },
    });
    const providerLife = outside('provider');
    const random = new Chance(seed, 'provider');
    this.sandbox = new StripeSandbox({
      clock: { now: () => new Date(scheduler.nowMs), sleep: (ms, signal) => scheduler.sleep(providerLife, ms, signal) },
      random,
      secretKey: SECRET_KEY,
      webhookUrl: 'http://house.invalid/webhooks/stripe',
      webhookSecret: WEBHOOK_SECRET,
      retryDelaysMs: [1_000, 60_000, 3_600_000, 12 * 3_600_000, 24 * 3_600_000],
      fetch: (_, init) => this.network.deliver(init ?? {}),
    });
    this.network = new ProviderNetwork({
      scheduler,
      weather,
      chance: new Chance(seed, 'network'),
      api: sandboxFetch(this.sandbox),
      receive: (delivery) => this.#receive(delivery),
      signedBy: WEBHOOK_SECRET,
    });
    this.forge = new SimForge({ scheduler, weather, chance: new Chance(seed, 'forge'), mark: options.mark });
    this.processes = Array.from({ length: options.processes }, (_, index) => this.#born(index));
  }

  /** A process that runs; clients and the provider meet it through a load balancer. Null while all are dead. */
  pickProcess(chance: Chance): SimProcess | null {
    const living = this.processes.filter(({ life }) => !life.isDead);
    return living.length === 0 ? null : chance.pick(living);
  }

  /** The process is gone between two of its steps: what it had open is rolled back, what it knew is forgotten. */
  kill(process: SimProcess): void {
    const { scheduler } = this.options;
    if (process.life.isDead) return;
    process.life.isDead = true;
    process.ticks.abort('dead');
    scheduler.note(`${process.life.name} dies`);
    void this.database.rollBackOf(process.life);
    void this.#revive(process.index);
  }

  /** The weather is over: clocks are right again, and everybody lives. */
  calm(): void {
    const { weather, mark } = this.options;
    if (weather.counts.has('database_down')) mark('the database is away for minutes');
    weather.isOver = true;
    for (const process of this.processes) {
      process.skewMs = 0;
      process.life.pausedUntilMs = 0;
    }
    this.network.calm();
    this.forge.calm();
  }

  /**
   * From now on ticks come so much more rarely than in production, also those that wait for their time. `isAlone`: only in one
   * process, for the hours in which nobody does anything that they could meet in.
   */
  paceTicks(factor: number, { isAlone = false } = {}): void {
    if (factor === this.#tickFactor && isAlone === this.#isTickingAlone) return;
    this.#tickFactor = factor;
    this.#isTickingAlone = isAlone;
    for (const process of this.processes) {
      if (process.life.isDead) continue;
      process.ticks.abort('another pace');
      process.ticks = new AbortController();
      this.#startTicks(process, { isBorn: false });
    }
  }

  /** One tick more, out of its turn. */
  async tickOnce(name: string): Promise<void> {
    const [process] = this.processes;
    const tick = TICKS.find((one) => one.name === name);
    if (process && tick) await tick.run(process.house);
  }

  async #revive(index: number): Promise<void> {
    const { scheduler } = this.options;
    await scheduler.park(this.#weatherLife, this.#chance.between(500, 60_000), 'revive');
    this.processes[index] = this.#born(index);
  }

  #born(index: number): SimProcess {
    this.#generation += 1;
    const { scheduler, weather, seed, settings = {} } = this.options;
    const life: Life = { name: `p${index}.${this.#generation}`, isDead: false, pausedUntilMs: 0 };
    const process: SimProcess = {
      index,
      life,
      skewMs: 0,
      ticks: new AbortController(),
      house: undefined as unknown as House,
    };
    const clock = {
      now: () => new Date(scheduler.nowMs + process.skewMs),
      monotonicMs: () => scheduler.nowMs,
      sleep: (ms: number, signal?: AbortSignal) => scheduler.sleep(life, ms, signal),
      turn: () => scheduler.park(life, 0, 'turn'),
    };
    const random = new Chance(seed, `random/${life.name}`);
    const ports: Ports = {
      clock,
      random,
      ids: idsFrom(clock, random),
      http: { fetch: (input, init) => this.network.call(life, input, init) },
      printer: { print: () => Promise.reject(new Error('nobody asks for a document here')) },
      webhooks: { post: () => Promise.reject(new WebhookNotSent('connection', 'nobody is told of anything here')) },
      crash: { reach: (label) => this.#reach(process, life, label) },
      log: this.#logOf(life),
    };
    const db = this.database.dbOf(life, ports);
    const provider = stripeProvider({
      secretKey: SECRET_KEY,
      webhookSecrets: { current: WEBHOOK_SECRET },
      apiBase: 'http://stripe.invalid',
      ports,
    });
    process.house = {
      ports,
      db,
      lanes: openPostingLanes(db, ports, { lanes: 2, batchRecordsMax: 50, queueMax: 200 }),
      jobs: this.#jobs(),
      providers: new Map([['stripe', provider]]),
      provisioners: new Map([['pool', poolProvisioner({ db, ports })]]),
      identityProviders: new Map(),
      usageRepository: this.forge.repositoryOf(life),
      mailer: null,
      messenger: null,
      movableClock: null,
      clocks: new Clocks(ports.clock, null),
      ticks: TICKS,
      settings: {
        ...TEST_SETTINGS,
        openPaymentsMax: 50,
        operators: [{ issuer: ISSUER, subject: LISTED_SUBJECT, role: LISTED_ROLE }],
        ...settings,
      },
    };
    this.#startTicks(process);
    if (!weather.isOver && weather.strikes('clock_forward')) process.skewMs = this.#chance.between(1, 86_400) * 1_000;
    return process;
  }

  #startTicks(process: SimProcess, { isBorn } = { isBorn: true }): void {
    if (this.#isTickingAlone && process.index > 0) return;
    for (const tick of TICKS) {
      if (
        tick.name === 'ledger.check' ||
        tick.name === 'deliveries.send' ||
        (this.options.isRenting
          ? !RENTING_TICKS.has(tick.name) && !HEALING.has(tick.name)
          : OF_RENTERS.has(tick.name)) ||
        (HEALING.has(tick.name) && !this.options.heals)
      )
        continue;
      const { heals, isRenting } = this.options;
      const longestMs = isRenting ? RENTING_TICK_WITHIN_MS : heals ? TICK_WITHIN_MS : Number.MAX_SAFE_INTEGER;
      const factor = this.#tickFactor * (isRenting && !HEALING.has(tick.name) ? RARER_WHEN_RENTING : 1);
      const waitMs = (now: Date) => Math.min(tick.waitMs(now) * factor, longestMs);
      const run = async (house: House): Promise<unknown> => {
        const done = await tick.run(house, process.ticks.signal);
        if (tick.name === 'webhooks.sweep' && done !== 0) this.options.mark('the sweep finds what the queue lost');
        return done;
      };
      // Who only changes their pace does not begin anew: what is over stays so for a while.
      const isDueAtStart = tick.isDueAtStart === true && (isBorn || !isRenting);
      void keepTicking(process.house, { ...tick, waitMs, run, isDueAtStart }, process.ticks.signal);
    }
  }

  #reach(process: SimProcess, life: Life, label: string): void | Promise<void> {
    if (life.isDead) return never();
    const { weather, scheduler, mark } = this.options;
    if (weather.isOver) return undefined;
    if (process.skewMs !== 0) mark('a process works with a wrong clock');
    const isInside = label.startsWith('sql:') || label.startsWith('commit:');
    if (weather.strikes(isInside ? 'crash_in_transaction' : 'crash')) {
      mark(isInside ? 'a process dies inside a transaction' : 'a process dies between transactions');
      this.kill(process);
      return never();
    }
    if (weather.strikes('pause')) life.pausedUntilMs = scheduler.nowMs + this.#chance.between(1_000, 120_000);
    if (weather.strikes('clock_forward')) process.skewMs += this.#chance.between(1, 7_200) * 1_000;
    if (weather.strikes('clock_back')) process.skewMs -= this.#chance.between(1, 3_600) * 1_000;
    return undefined;
  }

  #jobs(): Jobs {
    return {
      enqueue: (_, name, payload, options = {}) => {
        const runAtMs = this.options.scheduler.nowMs + (options.delayMs ?? 0);
        this.#pendingJobs.push({ name, sid: payload.sid, runAtMs, attempt: 0 });
        return Promise.resolve();
      },
    };
  }

  /** Delivers one job at least once, as the queue does; what fails comes again later. */
  async #work(job: QueuedJob): Promise<void> {
    const { scheduler } = this.options;
    for (;;) {
      const waitMs = Math.max(this.#chance.between(5, 500), job.runAtMs - scheduler.nowMs);
      await scheduler.park(this.#weatherLife, waitMs, `job ${job.name}`);
      const process = this.pickProcess(this.#chance);
      if (process && (await this.#attempt(process, job))) return;
      job.attempt += 1;
      await scheduler.park(this.#weatherLife, Math.min(1_000 * 2 ** job.attempt, JOB_LEASE_MS), 'job again');
    }
  }

  async #attempt(process: SimProcess, job: QueuedJob): Promise<boolean> {
    const { scheduler } = this.options;
    const ended = new AbortController();
    const lease = scheduler.sleep(this.#weatherLife, JOB_LEASE_MS, ended.signal).then(() => false);
    const run = JOBS[job.name](process.house, { sid: job.sid }).then(
      () => true,
      (error: unknown) => {
        this.judgeFailure(`job ${job.name}`, error);
        return false;
      },
    );
    const isDone = await Promise.race([run, lease]);
    ended.abort('ended');
    return isDone;
  }

  #receive(delivery: {
    body: Uint8Array;
    headers: ReadonlyMap<string, readonly string[]>;
  }): Promise<{ status: number }> {
    const process = this.pickProcess(this.#chance);
    if (!process) return Promise.resolve({ status: 503 });
    const { onBreak, mark } = this.options;
    const now = process.house.ports.clock.now();
    return receiveWebhook(process.house, 'stripe', delivery).then(
      (reply) => {
        judgeDelivery({ ...delivery, now, secret: WEBHOOK_SECRET, status: reply.status }, onBreak, mark);
        return reply;
      },
      (error: unknown) => {
        this.judgeFailure('the webhook route', error);
        return { status: 503 };
      },
    );
  }

  #logOf(life: Life): Log {
    const quiet = () => undefined;
    return {
      debug: quiet,
      info: quiet,
      warn: (facts, message) => {
        if (message.startsWith('records of a node have not come'))
          this.told.push({ category: String(facts['category']), step: this.options.scheduler.steps });
        if (facts['error'] instanceof Error) this.judgeFailure(`${life.name}: ${message}`, facts['error']);
      },
      error: (facts, message) => {
        // True as long as a file is truncated.
        if (message.startsWith('a usage file needs a look') && facts['outcome'] === 'malformed') return;
        const error = facts['error'];
        this.options.onBreak('no error is logged', `${life.name}: ${message}: ${textOf(error)}`);
      },
    };
  }

  /** The outside may fail, and says so by name; anything else that is thrown is a bug, whoever catches it. */
  judgeFailure(where: string, error: unknown): void {
    if (error instanceof Error && FAILURES.has(error.name)) return;
    this.options.onBreak('no bug is thrown', `${where}: ${textOf(error)}`);
  }
}

const FAILURES = new Set(['DatabaseUnavailable', 'ProviderFailure', 'ForgeFailure']);

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
