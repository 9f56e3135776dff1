import { idsFrom } from '../../src/ports/ids.ts';
import type {
  Clock,
  CrashPoints,
  HttpClient,
  Log,
  LogFacts,
  Ports,
  Random,
  WebhookSender,
} from '../../src/ports/ports.ts';
import { systemHttp } from '../../src/ports/system.ts';
import { pdfPrinter } from '../../src/ports/printer.ts';
import { webhookSender } from '../../src/ports/webhook-sender.ts';

export interface TestPorts extends Ports {
  readonly clock: VirtualClock;
  readonly crash: ScriptedCrash;
  readonly log: RecordedLog;
  readonly seed: number;
}

export interface TestPortsOptions {
  readonly seed?: number;
  /** Where the clock starts; by default a fixed instant. */
  readonly now?: Date;
  readonly http?: HttpClient;
  readonly webhooks?: WebhookSender;
}

/** Ports that are values: a clock that moves when told, seeded random and ids, a log kept in memory. HTTP is real. */
export function testPorts(options: TestPortsOptions = {}): TestPorts {
  const seed = options.seed ?? 1;
  const clock = new VirtualClock(options.now ?? new Date('2026-03-01T12:00:00.000Z'));
  const random = seededRandom(seed);
  return {
    seed,
    clock,
    random,
    ids: idsFrom(clock, random),
    http: options.http ?? systemHttp,
    webhooks: options.webhooks ?? webhookSender(),
    printer: pdfPrinter,
    crash: new ScriptedCrash(),
    log: new RecordedLog(),
  };
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #sleepers: Sleeper[] = [];

  constructor(start: Date) {
    this.#nowMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** How many are asleep: lets a test wait until its subject has gone to sleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const sleeper: Sleeper = {
        dueMs: this.#monotonicMs + ms,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  turn(): Promise<void> {
    return settle();
  }

  /** Moves time on and wakes sleepers in the order they are due, giving each the time to fall asleep again. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#moveTo(Math.max(next.dueMs, this.#monotonicMs));
      next.wake();
      await settle();
    }
    this.#moveTo(endMs);
    await settle();
  }

  /** An operator or NTP sets the wall clock; durations are not touched. */
  setWallClock(now: Date): void {
    this.#nowMs = now.getTime();
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** mulberry32: small, seeded, the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
  return { bytes: (count) => Uint8Array.from({ length: count }, next) };
}

/** What a dead process looks like from inside: nothing after this point ran. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** Counts and records the labels reached, and dies at the one it is told to. */
export class ScriptedCrash implements CrashPoints {
  readonly reached: string[] = [];
  #crashAt: number | null = null;
  #onReach: ((label: string) => void | Promise<void>) | null = null;

  reach(label: string): void | Promise<void> {
    this.reached.push(label);
    if (this.#crashAt !== null && this.reached.length > this.#crashAt) throw new Crash(`crashed at ${label}`);
    return this.#onReach?.(label);
  }

  /** From here on: run `onReach` at each label (throw, or wait, in it). Null: nothing. */
  on(onReach: ((label: string) => void | Promise<void>) | null): void {
    this.#onReach = onReach;
  }

  /** Forgets what was reached, then lets `points` points pass and dies at every one after. Null: never dies. */
  dieAfter(points: number | null): void {
    this.reached.length = 0;
    this.#crashAt = points;
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly facts: LogFacts;
  readonly message: string;
}

export class RecordedLog implements Log {
  readonly lines: LogLine[] = [];

  debug(facts: LogFacts, message: string): void {
    this.lines.push({ level: 'debug', facts, message });
  }
  info(facts: LogFacts, message: string): void {
    this.lines.push({ level: 'info', facts, message });
  }
  warn(facts: LogFacts, message: string): void {
    this.lines.push({ level: 'warn', facts, message });
  }
  error(facts: LogFacts, message: string): void {
    this.lines.push({ level: 'error', facts, message });
  }
}
