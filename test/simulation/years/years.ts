import { inspect } from 'node:util';
import { execute, type Reply } from '../../../src/operations/execute.ts';
import { TICKS } from '../../../src/jobs/ticks.ts';
import type { Actor } from '../../../src/operations/operation.ts';
import { PaperBank } from '../../support/paper-bank.ts';
import { OPERATOR } from '../../support/payment-story.ts';
import { openWallets } from '../../support/ledger.ts';
import { Processes, type Hour } from '../month/processes.ts';
import { DAY_MS, HOUR_MS } from '../month/residents.ts';
import { findOperation } from '../operations.ts';
import { Chance } from '../random.ts';
import { Deeds } from './deeds.ts';
import { PLANS_AT_FIRST, setsOn, versionOf } from './plans.ts';
import { Tenant, type Version } from './tenant.ts';

export interface YearsOptions {
  /** The owner's address of a migrated database of its own. */
  readonly url: string;
  readonly seed: number;
  readonly users: number;
  readonly days: number;
  readonly deedsPerDay: number;
}

/** What fits into a test: a year, some seconds. */
export const SHORT_YEARS: Omit<YearsOptions, 'url'> = {
  seed: 1,
  users: 1_000,
  days: 366,
  deedsPerDay: 4,
};

/** Three years, with a leap day in them, and more going on. */
export const FULL_YEARS: Omit<YearsOptions, 'url'> = { ...SHORT_YEARS, days: 1_100, deedsPerDay: 40 };

/** Somebody with a wallet, and what must be true of it. */
export interface Resident {
  readonly number: number;
  readonly actor: Actor;
  readonly walletSid: string;
  readonly wallet: bigint;
  readonly tenant: Tenant;
  /** Puts money in late, or not at all. */
  readonly isCareless: boolean;
}

export interface Years {
  readonly residents: readonly Resident[];
  readonly versions: readonly Version[];
  readonly days: Readonly<Record<Hour, number>>;
  readonly deeds: ReadonlyMap<string, number>;
  readonly lateDays: number;
  readonly nowMs: number;
  readonly breaks: readonly string[];
}

/** A little before a leap day: the 29th of February 2028 lies within three years. */
const START_MS = Date.UTC(2027, 0, 1);
/** People act in the morning, the house looks at noon: so nothing is over at the very moment at which it looks. */
const MORNING_MS = 6 * HOUR_MS;
const MORNING_LASTS_MS = 5 * HOUR_MS;
const NOON_MS = 12 * HOUR_MS;
const LOOKS = ['plans.renew'];
const MOVE_IN_AT_ONCE = 10;

/** Lives some years from the first user to the last look. */
export async function liveYears(options: YearsOptions): Promise<Years> {
  const life = new Life(options);
  try {
    return await life.live();
  } finally {
    await life.close();
  }
}

class Life {
  readonly #options: YearsOptions;
  readonly #chance: Chance;
  readonly #weather: Chance;
  readonly #processes: Processes;
  readonly #versions: Version[] = [...PLANS_AT_FIRST];
  readonly #breaks: string[] = [];
  #residents: Resident[] = [];
  #nowMs = START_MS - DAY_MS;
  #awayUntilMs = 0;
  #lateDays = 0;
  #hour: Hour = 'fine';
  #calls = 0;

  constructor(options: YearsOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed, 'years');
    this.#weather = new Chance(options.seed, 'weather');
    const chance = new Chance(options.seed, 'crashes');
    this.#processes = new Processes({ url: options.url, bank: new PaperBank(), chance, now: () => this.#nowMs });
  }

  close(): Promise<void> {
    return this.#processes.close();
  }

  async live(): Promise<Years> {
    const { days, deedsPerDay } = this.#options;
    await this.#moveIn();
    const deeds = new Deeds({
      ask: (name, input, actor) => this.#ask(name, input, actor),
      onBreak: (promise, detail) =>
        void this.#breaks.push(`${promise}: ${inspect(detail, { breakLength: Infinity, compact: true })}`),
      residents: this.#residents,
      chance: this.#chance,
    });
    for (let day = 0; day < days; day += 1) {
      const startMs = START_MS + day * DAY_MS;
      this.#nowMs = startMs;
      await this.#setPlans(day);
      const newcomers = Math.ceil(this.#residents.length / 60);
      const count = deedsPerDay + (day < 60 ? newcomers : 0);
      for (let deed = 0; deed < count; deed += 1) {
        this.#nowMs = startMs + MORNING_MS + Math.floor(((deed + this.#chance.next()) / count) * MORNING_LASTS_MS);
        const newcomer = day < 60 && deed < newcomers ? this.#residents[day * newcomers + deed] : undefined;
        await deeds.one(this.#nowMs, newcomer ?? null);
      }
      this.#nowMs = startMs + NOON_MS;
      await this.#noon(day === days - 1);
    }
    for (const { lines } of this.#processes.logs)
      for (const { level, message, facts } of lines)
        if (level === 'error' && !isOfACrash(facts))
          this.#breaks.push(`nothing is logged as an error: ${message} ${inspect(facts)}`);
    return {
      residents: this.#residents,
      versions: this.#versions,
      days: this.#processes.counts,
      deeds: deeds.counts,
      lateDays: this.#lateDays,
      nowMs: this.#nowMs,
      breaks: this.#breaks,
    };
  }

  async #moveIn(): Promise<void> {
    const { users } = this.#options;
    const { db, ports } = this.#processes.house(0);
    const wallets = await Promise.all(
      Array.from({ length: MOVE_IN_AT_ONCE }, () => openWallets(db, ports, users / MOVE_IN_AT_ONCE)),
    );
    this.#residents = wallets.flat().map(({ id, sid, userSid }, number) => ({
      number,
      actor: { kind: 'user', id: `user:${userSid}`, userSid },
      walletSid: sid,
      wallet: id,
      tenant: new Tenant(this.#versions),
      isCareless: number % 4 === 0,
    }));
  }

  /** What an operator sets in these years: a version an hour before it counts, the end of selling at once. */
  async #setPlans(day: number): Promise<void> {
    for (const set of setsOn(day)) {
      const isWithdrawn = set.input === null;
      const answer = isWithdrawn
        ? await this.#ask('plan.withdraw', { code: set.code }, OPERATOR)
        : await this.#ask(
            'plan.create',
            { ...set.input, active_from: new Date(this.#nowMs + HOUR_MS).toISOString() },
            OPERATOR,
          );
      const before = this.#versions.findLast(({ code }) => code === set.code);
      this.#versions.push(
        versionOf(set, {
          number: Number(answer['version']),
          fromMs: Date.parse(String(answer['active_from'])),
          before,
        }),
      );
    }
  }

  /** The ticks, as two processes run them, in the weather of the day; the house may be away, and look days later. */
  async #noon(isLast: boolean): Promise<void> {
    if (!isLast && this.#nowMs < this.#awayUntilMs) {
      this.#lateDays += 1;
      return;
    }
    if (!isLast && this.#weather.is(0.02)) {
      this.#awayUntilMs = this.#nowMs + this.#weather.between(1, 3) * DAY_MS;
      this.#lateDays += 1;
      return;
    }
    const hour = isLast
      ? 'fine'
      : this.#weather.weighted<Hour>([
          ['fine', 80],
          ['crash', 14],
          ['lost_commit', 3],
          ['lost_answer', 3],
        ]);
    if (hour !== 'fine') {
      this.#hour = hour;
      await this.#processes.begin(hour);
      await this.#look(1);
      await this.#processes.end();
    }
    this.#hour = 'fine';
    await this.#processes.begin('fine');
    await this.#look(2);
    for (const { tenant } of this.#residents) tenant.renew(this.#nowMs);
  }

  async #look(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const name of LOOKS) {
        const tick = TICKS.find((one) => one.name === name);
        if (!tick) throw new Error(`there is no tick ${name}`);
        const both = [0, 1].map((number) =>
          tick.run(this.#processes.house(number)).catch((error: unknown) => this.#failed(name, error)),
        );
        await Promise.all(both);
      }
    }
  }

  /** In bad weather a process dies or its wire breaks, and the next look comes; on a fine day nothing fails. */
  #failed(name: string, error: unknown): void {
    if (this.#hour === 'fine') this.#breaks.push(`a look does not fail: ${name} ${String(error)}`);
  }

  async #ask(
    name: string,
    input: unknown,
    actor: Actor,
  ): Promise<Record<string, unknown> & { readonly status: number }> {
    const operation = findOperation(name);
    const house = this.#processes.house(this.#calls);
    const key = operation.idempotency === 'none' ? null : `years-${(this.#calls += 1)}`;
    const reply: Reply = await execute(house, operation, {
      actor,
      input,
      idempotencyKey: key,
      requestId: house.ports.ids.requestId(),
    });
    if (reply.status >= 500 || reply.status === 400)
      this.#breaks.push(`everything is answered: ${name} ${inspect(input)} ${reply.status} ${reply.body}`);
    return { ...(reply.body === '' ? {} : (JSON.parse(reply.body) as Record<string, unknown>)), status: reply.status };
  }
}

const isOfACrash = ({ error }: { readonly error?: unknown }): boolean =>
  error instanceof Error && error.name === 'Crash';
