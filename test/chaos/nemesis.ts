import type { Dice } from './dice.ts';
import type { Disk } from './disk.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { pause, until } from './processes.ts';
import type { Recovery } from './recovery.ts';
import type { Server } from './server.ts';
import type { Stripe } from './stripe.ts';

/** What is done to the house, and how often: one deck of cards, shuffled by the seed, again and again. */
const DECK = {
  kill_server: 9,
  kill_postgres: 3,
  pause_server: 2,
  partition_that_heals: 2,
  partition_that_loses: 1,
  reset: 2,
  lose_answer_of_commit: 3,
  lose_commit: 2,
  move_webhooks: 1,
} as const;
export type Blow = keyof typeof DECK | 'fill_disk';

export interface Victims {
  readonly postgres: OwnPostgres;
  readonly servers: readonly Server[];
  readonly stripe: Stripe;
  /** Null: there is none small enough to be filled. */
  readonly disk: Disk | null;
  readonly recovery: Recovery;
}

/** Enough that something is acknowledged between two harms, and what was done is there to be lost. */
const REST_MS = { from: 800, to: 3_200 };
/** Longer than a transaction may sit idle: its connection is gone when the server wakes, and it does not know. */
const LONG_PAUSE_MS = 12_000;
const LONG_PAUSES = 0.2;
const POSTGRES_BACK_WITHIN_MS = 60_000;

/** Does one harm after another until it is told to stop; `heal` takes back what can be taken back. */
export class Nemesis {
  readonly blows = new Map<Blow, number>();
  readonly #victims: Victims;
  readonly #dice: Dice;
  readonly #tell: (line: string) => void;
  /** However short the run, these are in it. */
  #deck: Blow[];
  readonly #resting = new AbortController();

  constructor(victims: Victims, dice: Dice, tell: (line: string) => void) {
    this.#victims = victims;
    this.#dice = dice;
    this.#tell = tell;
    this.#deck = victims.disk ? [] : ['kill_postgres', 'kill_server'];
  }

  /** Until `stop`. Throws when something does not come back that should. */
  async run(): Promise<void> {
    while (!this.#resting.signal.aborted) {
      await this.#rest(this.#dice.between(REST_MS.from, REST_MS.to));
      if (this.#resting.signal.aborted) return;
      const blow = this.#draw();
      this.#tell(blow);
      await this.#strike(blow);
      this.blows.set(blow, (this.blows.get(blow) ?? 0) + 1);
    }
  }

  stop(): void {
    this.#resting.abort();
  }

  async heal(): Promise<void> {
    const { servers, postgres, disk } = this.#victims;
    disk?.empty();
    for (const server of servers) {
      server.resume();
      server.wire = 'none';
    }
    if (!postgres.isRunning) await postgres.start();
  }

  #draw(): Blow {
    const all = Object.entries(DECK) as [Blow, number][];
    if (this.#deck.length === 0) {
      const cards = this.#victims.disk
        ? (['fill_disk'] as const)
        : all.flatMap(([blow, count]) => Array<Blow>(count).fill(blow));
      this.#deck = this.#dice.shuffled(cards);
    }
    return this.#deck.pop() ?? 'kill_server';
  }

  async #strike(blow: Blow): Promise<void> {
    const { servers, postgres, stripe, recovery } = this.#victims;
    // A kill of who has not come back yet would be no new one.
    const isUp = servers.filter(({ number }) => !recovery.isRecovering(number));
    const server = this.#dice.pick(blow === 'kill_server' && isUp.length > 0 ? isUp : servers);
    if (blow !== 'kill_server') recovery.interfered(server.number);
    switch (blow) {
      case 'kill_server':
        // Nobody asks a worker: what its absence costs is seen in what is credited late.
        if (!server.isWorker) recovery.killed(server.number);
        return await server.killAndStart();
      case 'kill_postgres':
        recovery.killed(null);
        await postgres.kill();
        return await postgres.start();
      case 'pause_server':
        server.pause();
        await this.#rest(this.#dice.chance(LONG_PAUSES) ? LONG_PAUSE_MS : this.#dice.between(500, 4_000));
        return server.resume();
      case 'partition_that_heals':
        return await this.#partition(server, 'hold', this.#dice.between(500, 4_000));
      case 'partition_that_loses':
        return await this.#partition(server, 'swallow', this.#dice.between(500, 3_000));
      case 'reset':
        return await this.#partition(server, 'reset', this.#dice.between(50, 800));
      case 'lose_answer_of_commit':
      case 'lose_commit':
        server.wire = blow;
        return;
      case 'move_webhooks':
        return await stripe.deliverTo(this.#dice.pick(servers.filter(({ isWorker }) => !isWorker)).url);
      case 'fill_disk':
        return await this.#fillDisk();
    }
  }

  async #partition(server: Server, fault: 'hold' | 'swallow' | 'reset', ms: number): Promise<void> {
    server.wire = fault;
    await this.#rest(ms);
    server.wire = 'none';
  }

  /** PostgreSQL may end itself when it cannot write its log; it gets its room back, and is started as an operator would. */
  async #fillDisk(): Promise<void> {
    const { disk, postgres } = this.#victims;
    if (!disk) return;
    disk.fill();
    await this.#rest(this.#dice.between(1_500, 4_000));
    disk.empty();
    await until(
      'PostgreSQL answers after its disk was full',
      async () => {
        if (!postgres.isRunning) await postgres.start();
        return await postgres.execute('select 1').then(
          () => true,
          () => null,
        );
      },
      { withinMs: POSTGRES_BACK_WITHIN_MS },
    );
  }

  async #rest(ms: number): Promise<void> {
    const { signal } = this.#resting;
    const until = performance.now() + ms;
    while (!signal.aborted && performance.now() < until) await pause(Math.min(100, until - performance.now()));
  }
}
