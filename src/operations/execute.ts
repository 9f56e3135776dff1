import { isRefusal, refuse } from '../domain/refusal.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/db.ts';
import { readAnswer } from '../store/idempotency.ts';
import type { House } from './house.ts';
import { asIdem, fingerprintOf, idemOf, keyInProgress, parseIdempotencyKey } from './idempotency-key.ts';
import { checkAccess, reachOf } from './admission.ts';
import { parseInput } from './input.ts';
import type { Actor, Call, Operation } from './operation.ts';
import { failureReply, refusalReply, storedReply } from './reply.ts';
import type { Reply } from './reply.ts';
import { Answered, KeyBusy, Run, Undone } from './run.ts';

export type { Reply };

export interface ExecuteRequest {
  readonly actor: Actor;
  /** Parsed JSON, not yet looked at. */
  readonly input: unknown;
  /** As it was sent, bare or quoted; null when none was. */
  readonly idempotencyKey: string | null;
  readonly requestId: string;
}

/** How long a second call with a key waits for the first before it is told to come back. */
const WAIT_FOR_FIRST_MS = 5_000;
/** Between looks at a first call that runs in another process. */
const LOOK_AGAIN_MS = 50;

/**
 * Runs one operation for one caller: who may, is the input valid, is the key new; then `run`. Never throws.
 *
 * Order of refusals: 401/403, 400 for the input, 400 for the key, 422/409 for the key's history, then the operation's own.
 */
export async function execute(house: House, operation: Operation, request: ExecuteRequest): Promise<Reply> {
  // Apart from the request: whoever waits for a commit should not hold on to the whole of its input.
  const { requestId } = request;
  try {
    const admitted = admit(house, operation, request);
    if (isRefusal(admitted)) return refusalReply(admitted, requestId);
    const caller = { actor: reachOf(operation, request.actor), requestId };
    if (!admitted.hasKey) return await runOnce(house, operation, caller, admitted);
    return await oneAtATime(house, admitted.idem ?? '', requestId, () => runOnce(house, operation, caller, admitted));
  } catch (error) {
    return failureReply(house, operation.name, requestId, error);
  }
}

const NO_FINGERPRINT = '00000000-0000-0000-0000-000000000000';

interface Admitted {
  readonly input: Record<string, unknown>;
  readonly hasKey: boolean;
  readonly idem: string | null;
  readonly fingerprint: string;
}

function admit(house: House, operation: Operation, request: ExecuteRequest): Admitted | Refusal {
  const barred = checkAccess(house, operation, request.actor);
  if (barred) return barred;
  const parsed = parseInput(operation, request.input);
  if (isRefusal(parsed)) return parsed;
  const key = parseIdempotencyKey(operation, request.idempotencyKey);
  if (isRefusal(key)) return key;
  return {
    input: parsed.value,
    hasKey: key !== null,
    idem: key === null ? null : idemOf(operation, request.actor, key),
    // Of a thousand records it costs as much as reading them; where no key is taken nobody compares it.
    fingerprint: operation.idempotency === 'none' ? NO_FINGERPRINT : fingerprintOf(request.input),
  };
}

/** Calls with a key that run now, by identity. A house is one process: others are met at the database. */
const running = new WeakMap<House, Map<string, Promise<unknown>>>();

/** Lets one call with a key run at a time; the others wait without a database connection, then find its answer. */
async function oneAtATime(house: House, idem: string, requestId: string, run: () => Promise<Reply>): Promise<Reply> {
  const calls = running.get(house) ?? new Map<string, Promise<unknown>>();
  running.set(house, calls);
  const { clock } = house.ports;
  const deadlineMs = clock.monotonicMs() + WAIT_FOR_FIRST_MS;
  for (;;) {
    const first = calls.get(idem);
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) return refusalReply(keyInProgress(), requestId);
    if (first) {
      await waitAtMost(house, first, leftMs);
      continue;
    }
    const call = run();
    calls.set(
      idem,
      call.catch(() => undefined),
    );
    try {
      return await call;
    } catch (error) {
      if (!(error instanceof KeyBusy)) throw error;
    } finally {
      calls.delete(idem);
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

async function waitAtMost(house: House, first: Promise<unknown>, ms: number): Promise<void> {
  const isOver = new AbortController();
  await Promise.race([first, house.ports.clock.sleep(ms, isOver.signal)]);
  isOver.abort();
}

async function runOnce(
  house: House,
  operation: Operation,
  caller: Pick<ExecuteRequest, 'actor' | 'requestId'>,
  admitted: Admitted,
): Promise<Reply> {
  const { idem, hasKey, fingerprint } = admitted;
  try {
    if (idem !== null && operation.firstAnswerIn !== 'ledger') await lookUp(house.db, idem);
    const run = new Run(house, operation, caller, {
      idem: idem ?? asIdem(house.ports.random.bytes(16)),
      hasKey,
      fingerprint,
    });
    return run.reply(await resultOf(operation, run.call, admitted.input));
  } catch (error) {
    if (!(error instanceof Answered)) throw error;
    return answeredReply(error, fingerprint, caller.requestId);
  }
}

async function resultOf(operation: Operation, call: Call, input: Record<string, unknown>): Promise<unknown> {
  try {
    return await operation.run(call, input);
  } catch (error) {
    if (error instanceof Undone) return error.refusal;
    throw error;
  }
}

async function lookUp(tx: Tx, idem: string): Promise<void> {
  const answer = await readAnswer(tx, idem);
  if (answer) throw new Answered(answer, false);
}

function answeredReply(answered: Answered, fingerprint: string, requestId: string): Reply {
  if (answered.answer.fingerprint === fingerprint) return storedReply(answered.answer, !answered.isOurs);
  const message = 'This Idempotency-Key was used for a request with another content. Use a new key for a new intent.';
  return refusalReply(refuse('idempotency_key_reused', message), requestId);
}
