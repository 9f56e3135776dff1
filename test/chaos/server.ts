import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../support/cluster.ts';
import { faultProxy, type Fault, type FaultProxy } from '../support/fault-proxy.ts';
import { kill9, until } from './processes.ts';
import { startProduct, type Program } from './server-process.ts';
import { send } from './wire.ts';

export const ADMIN_SECRET = 'chaos-admin-secret-of-quite-a-few-bytes-9f31';
export const STRIPE_KEY = 'sk_test_51ChaosSecretKeyOfQuiteAFewBytes';
export const WEBHOOK_SECRET = 'whsec_Q2hhb3NXZWJob29rU2VjcmV0T2ZNYW55Qnl0ZXM';

const READY_WITHIN_MS = 60_000;
/** A line that a promise nobody waited for, or an event nobody heard, leaves in the log. */
const UNHEARD = /a rejection was not handled|an exception was not caught|ledger_stopped|THE LEDGER IS NOT SOUND/;

export interface ServerOptions {
  readonly number: number;
  /** Nobody's requests go to it: it works off the jobs and keeps the ticks, as every server does beside answering. */
  readonly isWorker: boolean;
  readonly databaseUrl: string;
  readonly stripeUrl: string;
}

/** One server of several on one database: its process, started again under the same address, and its wire to PostgreSQL. */
export class Server {
  readonly number: number;
  readonly isWorker: boolean;
  readonly url: string;
  readonly #proxy: FaultProxy;
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder: string;
  #program: Program;
  #isStopped = false;
  readonly #killed = new Set<Program>();
  readonly #all: Program[] = [];

  private constructor(
    { number, isWorker }: ServerOptions,
    url: string,
    {
      proxy,
      folder,
      env,
    }: { readonly proxy: FaultProxy; readonly folder: string; readonly env: Record<string, string> },
  ) {
    this.number = number;
    this.isWorker = isWorker;
    this.url = url;
    this.#proxy = proxy;
    this.#folder = folder;
    this.#env = env;
    this.#program = this.#start();
  }

  static async start(options: ServerOptions): Promise<Server> {
    const { databaseUrl, stripeUrl } = options;
    const proxy = await faultProxy(databaseUrl);
    const listen = `127.0.0.1:${await freePort()}`;
    const folder = mkdtempSync(path.join('/var/tmp', 'hero-chaos-server-'));
    const env = {
      DATABASE_URL: proxy.url,
      HERO_ONBOARDING_LISTEN: listen,
      HERO_ONBOARDING_DATA_DIR: folder,
      HERO_ONBOARDING_ADMIN_SECRET: ADMIN_SECRET,
      HERO_ONBOARDING_SESSION_KEY: 'chaos-session-key-of-quite-a-few-bytes-11b7',
      HERO_ONBOARDING_OPEN_PAYMENTS_MAX: '100',
      HERO_ONBOARDING_LOG_LEVEL: 'warn',
      STRIPE_API_BASE: stripeUrl,
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    };
    return new Server(options, `http://${listen}`, { proxy, folder, env });
  }

  #start(): Program {
    const program = startProduct(['serve'], this.#env);
    this.#all.push(program);
    return program;
  }

  async isReady(): Promise<boolean> {
    return (await send({ method: 'GET', url: `${this.url}/health/ready`, withinMs: 2_000 })).status === 200;
  }

  async untilReady(): Promise<void> {
    await until(
      `server ${this.number} is ready`,
      async () => {
        if (this.#program.child.exitCode !== null) {
          throw new Error(`server ${this.number} ended with ${this.#program.child.exitCode}:\n${this.tail()}`);
        }
        return (await this.isReady()) ? true : null;
      },
      { withinMs: READY_WITHIN_MS },
    );
  }

  /** With signal 9; the next process starts at once. Not waited for. */
  async killAndStart(): Promise<void> {
    const dead = this.#program;
    this.#killed.add(dead);
    kill9(dead.pid);
    await dead.ended;
    this.#program = this.#start();
  }

  /** The process neither runs nor is gone, as under a collection of garbage or a machine that was moved. */
  pause(): void {
    this.#program.child.kill('SIGSTOP');
    this.#isStopped = true;
  }

  resume(): void {
    if (this.#isStopped) this.#program.child.kill('SIGCONT');
    this.#isStopped = false;
  }

  set wire(fault: Fault) {
    this.#proxy.set(fault);
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Nothing we did: a run that goes on would only show the same, later. */
  get hasEndedByItself(): boolean {
    const { exitCode, signalCode } = this.#program.child;
    return (exitCode !== null || signalCode !== null) && !this.#killed.has(this.#program);
  }

  /** In good order. Answers its exit code. */
  async stop(): Promise<number | null> {
    this.#program.child.kill('SIGTERM');
    return await this.#program.ended;
  }

  async remove(): Promise<void> {
    this.#killed.add(this.#program);
    kill9(this.#program.pid);
    await this.#program.ended;
    await this.#proxy.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What processes of this server did wrong: ended without our doing, or had something nobody heard. */
  complaints(): string[] {
    return this.#all.flatMap((program) => {
      const { exitCode, signalCode } = program.child;
      const isGone = exitCode !== null || signalCode !== null;
      const isOurs = this.#killed.has(program) || exitCode === 0;
      const unheard = program
        .output()
        .split('\n')
        .filter((line) => UNHEARD.test(line));
      const ends =
        isGone && !isOurs ? [`ended by itself: ${exitCode ?? signalCode}\n${program.output().slice(-2_000)}`] : [];
      return [...ends, ...unheard].map((what) => `server ${this.number}, process ${program.pid}: ${what}`);
    });
  }

  /** How often each error or warning was logged, over all its processes. */
  logged(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of this.#all.flatMap((program) => program.output().split('\n'))) {
      const message = /"level":"?(\w+)"?.*"message":"([^"]*)"\}$/.exec(line);
      if (message === null) continue;
      const said = `${message[1]} ${message[2]}`;
      counts.set(said, (counts.get(said) ?? 0) + 1);
    }
    return counts;
  }

  tail = (): string => this.#program.output().slice(-4_000);
}
