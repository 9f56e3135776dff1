import { DecideAgain } from './decide-again.ts';

/**
 * What an error says about running the transaction again.
 *
 * - `retry`: rolled back by the server for a passing reason; the connection is good.
 * - `lost`: the connection or the server went away; the connection is to be destroyed.
 * - `other`: a mistake or a rule of the schema; running it again gives the same.
 */
export type ErrorClass = 'retry' | 'lost' | 'other';

/** Serialization failure, deadlock, lock not available, cancelled by a timeout. */
const RETRY_STATES = new Set(['40001', '40P01', '55P03', '57014']);
/** Server full or short of something, in failover (25006: it became a standby), going down, or it ended our session. */
const LOST_STATES = new Set(['25006', '25P03', '25P04', '57P01', '57P02', '57P03', '57P04', '57P05', '58030']);
const LOST_CLASSES = new Set(['08', '53']);
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
/** `pg` gives these no code. */
const LOST_MESSAGES = [
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'socket hang up',
];

/**
 * Unique keys that two transactions may race for, where the loser finds the winner's row when it runs again.
 * A duplicate of any other key is the caller's to explain.
 */
export const RETRIABLE_KEYS: readonly string[] = [
  'entry__pk',
  'entry__one_per_leg',
  'event__one_per_sequence',
  'batch_leg__pk',
  'declined_posting__pk',
  'idempotency__pk',
  'inbox__one_per_event',
  'payment__one_per_idem',
  'payment_event__one_per_movement',
  'system_account__pk',
  'system_account__one_per_code',
];

export function classify(error: unknown, retriableKeys: ReadonlySet<string>): ErrorClass {
  if (isServerError(error)) return classifyState(error, retriableKeys);
  if (error instanceof DecideAgain) return 'retry';
  if (!(error instanceof Error)) return 'other';
  if ('code' in error && typeof error.code === 'string' && NETWORK_CODES.has(error.code)) return 'lost';
  if (error instanceof AggregateError) {
    return error.errors.some((one) => classify(one, retriableKeys) === 'lost') ? 'lost' : 'other';
  }
  return LOST_MESSAGES.some((start) => error.message.startsWith(start)) ? 'lost' : 'other';
}

function classifyState(error: ServerError, retriableKeys: ReadonlySet<string>): ErrorClass {
  const state = error.code;
  if (RETRY_STATES.has(state)) return 'retry';
  if (LOST_STATES.has(state) || LOST_CLASSES.has(state.slice(0, 2))) return 'lost';
  if (state === '23505' && error.constraint !== undefined && retriableKeys.has(error.constraint)) return 'retry';
  return 'other';
}

/** True for a duplicate of a unique key, by the constraint's name. */
export function isDuplicateOf(error: unknown, constraint: string): boolean {
  return isServerError(error) && error.code === '23505' && error.constraint === constraint;
}

/** What PostgreSQL itself answered, as the driver carries it: a SQLSTATE and, for broken keys, the constraint. */
interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly constraint?: string;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}
