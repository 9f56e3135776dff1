/**
 * What answers from outside our database comes through here, so that a simulator can drive it.
 * Only `src/ports/system.ts` may touch the real clock, timers, random source, network and process.
 */
export interface Clock {
  now(): Date;
  /** Milliseconds that never go back; for durations and leases, not for dates. */
  monotonicMs(): number;
  /** Resolves after the time or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves when everything that is ready to run now has run: for gathering what arrives at once. Takes no time. */
  turn(): Promise<void>;
}

export interface Random {
  bytes(count: number): Uint8Array;
}

export interface Ids {
  /** A ULID: 26 characters, Crockford base 32, sorts by time. */
  sid(): string;
  /** A sid that its first 18 characters tell (`domain/reference-sid.ts`): for what a provider with short references must name. */
  referenceSid(): string;
  /** A positive 63-bit number that rises with time and is unique enough to name one posting batch. */
  batchId(): bigint;
  /** `req_` and a ULID. */
  requestId(): string;
}

export interface HttpClient {
  /** The global `fetch`'s contract. Deadlines are the caller's, by `init.signal`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/**
 * A place where a process may die. The real one does nothing; tests throw from it, or kill the process.
 * The store reaches one before and after each statement and commit, providers around each call.
 */
export interface CrashPoints {
  reach(label: string): void | Promise<void>;
}

export interface Log {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}
export type LogFacts = Readonly<Record<string, unknown>>;

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly http: HttpClient;
  readonly crash: CrashPoints;
  readonly log: Log;
}
