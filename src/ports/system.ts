import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { pino } from 'pino';
import { idsFrom } from './ids.ts';
import { pdfPrinter } from './printer.ts';
import { webhookSender } from './webhook-sender.ts';
import type { Clock, CrashPoints, HttpClient, Log, Ports, Random } from './ports.ts';

export interface SystemPortsOptions {
  /** A log made elsewhere; by default one that writes JSON lines to standard output. */
  readonly log?: Log;
  readonly logLevel?: LogLevel;
  /** For tests of a whole process: SIGKILL ourselves when this label is reached for the `count`-th time. */
  readonly crashAt?: { readonly label: string; readonly count: number };
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The real world. One set a process, made by the composition root. */
export function systemPorts(options: SystemPortsOptions = {}): Ports {
  return {
    clock: systemClock,
    random: systemRandom,
    ids: idsFrom(systemClock, systemRandom),
    http: systemHttp,
    webhooks: webhookSender(),
    printer: pdfPrinter,
    crash: options.crashAt === undefined ? noCrash : killAt(options.crashAt),
    log: options.log ?? systemLog(options.logLevel ?? 'info'),
  };
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener('abort', wake, { once: true });
    }),
  turn: () =>
    new Promise((resolve) => {
      setImmediate(resolve);
    }),
};

/** Drawn ahead: a call into the system's source costs 2 µs or more, and every request wants a few bytes of it. */
const AHEAD_BYTES = 4_096;
let ahead = new Uint8Array();

/** How far a clock is ahead of this machine's: for a library that looks at the time by itself and can be told. */
export const secondsAheadOfSystem = (clock: Clock): number => Math.round((clock.now().getTime() - Date.now()) / 1_000);

export const systemRandom: Random = {
  bytes: (count) => {
    if (count > AHEAD_BYTES / 8) return new Uint8Array(randomBytes(count));
    if (ahead.length < count) ahead = new Uint8Array(randomBytes(AHEAD_BYTES));
    const bytes = ahead.slice(0, count);
    // What was given away stays in nobody's memory but the caller's.
    ahead.fill(0, 0, count);
    ahead = ahead.subarray(count);
    return bytes;
  },
};

/** Looked up at each call: an instrumented `fetch` set after start-up is the one that is used. */
export const systemHttp: HttpClient = { fetch: (input, init) => globalThis.fetch(input, init) };

export const noCrash: CrashPoints = { reach: () => undefined };

/**
 * JSON lines. bigint facts are written as numbers, `err` and `error` facts with their stack.
 * Facts that look like secrets are replaced: a slip in one caller must not put a key in a log file.
 */
export function systemLog(level: LogLevel, destination?: { write(line: string): void }): Log {
  const settings = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'message',
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['password', 'secret', 'token', 'authorization', 'cookie', 'admin_secret', 'adminSecret', 'sessionKey'],
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

function killAt(target: { readonly label: string; readonly count: number }): CrashPoints {
  let reached = 0;
  return {
    reach: (label) => {
      if (label !== target.label) return;
      reached += 1;
      if (reached === target.count) process.kill(process.pid, 'SIGKILL');
    },
  };
}
