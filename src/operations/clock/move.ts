import { Bug } from '../../domain/assert.ts';
import { nextStop } from '../../domain/clock/goal.ts';
import type { MovableClock } from '../../ports/movable-clock.ts';
import { readDue } from '../../store/due.ts';
import { endMove, letGoOfMove, noteStops, readSandboxClock, stepClock } from '../../store/sandbox-clock.ts';
import type { House } from '../house.ts';
import type { Tick } from '../tick.ts';

/** Where a queue is worked off in parts, a stop is looked at so many times; what is left then comes at the next one. */
const PASSES_MAX = 50;

/**
 * Looks at how long a wallet lasts come every hour of a day with usage, and seldom find anything. Where nothing else is due their tick runs alone;
 * what it finds has the others run as well.
 */
const ALONE: ReadonlyMap<string, string> = new Map([['due.runways', 'standings.due']]);

/** What is due seconds behind a stop has its tick run where it is due, although it has just run. Hours later there may be the next stop. */
const EARLY_MS = 60_000;

export interface MoveOptions {
  /** Between two stops it is given up after this and left to whoever takes it up. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Moves the clock to the goal that is written down, from stop to stop, and does at each what the house does by the clock.
 *
 * Safe to: be ended anywhere. Who takes the move up goes on from where it stands; what was not done at the last stop is done at the next one.
 */
export async function moveToGoal(house: House, options: MoveOptions = {}): Promise<void> {
  const clock = house.movableClock;
  if (clock === null) return;
  const end = clock.beginMove();
  try {
    const deadlineMs = clock.monotonicMs() + (options.withinMs ?? Number.POSITIVE_INFINITY);
    const agenda = new Agenda(house.ticks, clock.now());
    for (;;) {
      if (options.signal?.aborted === true || clock.monotonicMs() > deadlineMs) {
        await noteStops(house.db, agenda.takeCounted());
        return await letGoOfMove(house.db);
      }
      const isOnItsWay = await moveOn(house, clock, agenda, options.signal);
      if (!isOnItsWay) return;
    }
  } finally {
    end();
  }
}

/** To the next stop. False: there is none, or another process moves the clock. */
async function moveOn(house: House, clock: MovableClock, agenda: Agenda, signal?: AbortSignal): Promise<boolean> {
  const { db } = house;
  const row = await readSandboxClock(db);
  if (row.goal === null) return false;
  if (row.aheadMs > clock.aheadMs) clock.moveTo(row.aheadMs);
  const now = clock.now();
  if (now >= row.goal) {
    agenda.note({ stops: 0, ...(await runAll(house, agenda.last(), signal)) });
    await noteStops(db, agenda.takeCounted());
    await endMove(db, row.goal);
    return false;
  }
  const { next, nextOf, overdue } = await readDue(db, now);
  const stop = nextStop(now, row.goal, next);
  const toMs = clock.aheadMs + (stop.getTime() - now.getTime());
  if (!(await stepClock(db, { fromMs: clock.aheadMs, toMs, ...agenda.takeCounted() }))) return false;
  clock.moveTo(toMs);
  agenda.note({
    stops: 1,
    ...(await standStill(house, { agenda, alone: aloneAt(stop, next, nextOf), before: overdue }, signal)),
  });
  return true;
}

/** The tick that is enough for what is due at a stop; null: any may have to do with it. */
const aloneAt = (stop: Date, next: Date | null, [source, ...others]: readonly string[]): string | null =>
  stop.getTime() === next?.getTime() && source !== undefined && others.length === 0
    ? (ALONE.get(source) ?? null)
    : null;

interface Ran {
  readonly runs: number;
  readonly failures: number;
}

interface Counted extends Ran {
  readonly stops: number;
}

const NOTHING: Counted = { stops: 0, runs: 0, failures: 0 };

interface Stop {
  readonly agenda: Agenda;
  readonly alone: string | null;
  /** How much was overdue on the way here. */
  readonly before: bigint;
}

/** Does what is due here, until nothing more of it can be done. */
async function standStill(house: House, { agenda, alone, before }: Stop, signal?: AbortSignal): Promise<Ran> {
  const { clock } = house.ports;
  let ticks = agenda.due(clock.now(), alone);
  let { runs, failures } = await runAll(house, ticks, signal);
  let { overdue } = await readDue(house.db, clock.now());
  // As much as before: nothing could be done about it where it became due, and it is no reason to try twice here.
  if (overdue === before) return { runs, failures };
  if (alone !== null) ticks = agenda.due(clock.now(), null);
  for (let pass = 1; pass < PASSES_MAX && overdue > 0n; pass += 1) {
    const again = await runAll(house, ticks, signal);
    runs += again.runs;
    failures += again.failures;
    const left = (await readDue(house.db, clock.now())).overdue;
    if (left >= overdue) break;
    overdue = left;
  }
  return { runs, failures };
}

/** One after another, in their order: what one finds the next may act upon. What one throws is logged, as where they come by themselves. */
async function runAll(house: House, ticks: readonly Tick[], signal?: AbortSignal): Promise<Ran> {
  const { log } = house.ports;
  let failures = 0;
  for (const tick of ticks) {
    try {
      await tick.run(house, signal);
    } catch (error) {
      failures += 1;
      const facts = { tick: tick.name, error };
      if (error instanceof Bug) log.error(facts, 'a tick met a bug while the clock was moved');
      else log.warn(facts, 'a tick failed while the clock was moved');
    }
  }
  return { runs: ticks.length, failures };
}

/** Which ticks have their time at a stop. The first stop has all but those that a move can do without: nobody knows when they ran last. */
class Agenda {
  readonly #ticks: readonly Tick[];
  readonly #dueAt = new Map<Tick, number>();
  #counted = NOTHING;

  constructor(ticks: readonly Tick[], from: Date) {
    this.#ticks = ticks;
    for (const tick of ticks) {
      if (tick.whileMovedMs !== undefined) this.#dueAt.set(tick, from.getTime() + tick.whileMovedMs);
    }
  }

  /** `alone`: that one and no other; null: any. */
  due(now: Date, alone: string | null): readonly Tick[] {
    const ticks = this.#ticks.filter(
      (tick) =>
        tick.catchesUp !== true &&
        (alone === null || alone === tick.name) &&
        (this.#dueAt.get(tick) ?? 0) <= now.getTime() + EARLY_MS,
    );
    for (const tick of ticks) this.#dueAt.set(tick, now.getTime() + (tick.whileMovedMs ?? tick.waitMs(now)));
    return ticks;
  }

  note({ stops, runs, failures }: Counted): void {
    const { stops: before, runs: ran, failures: failed } = this.#counted;
    this.#counted = { stops: before + stops, runs: ran + runs, failures: failed + failures };
  }

  /** What was counted since it was asked last: written down with the next step. */
  takeCounted(): Counted {
    const counted = this.#counted;
    this.#counted = NOTHING;
    return counted;
  }

  /** For the end: those that have waited for it. */
  last(): readonly Tick[] {
    return this.#ticks.filter(({ catchesUp }) => catchesUp === true);
  }
}
