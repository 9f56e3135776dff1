import { Bug } from '../domain/assert.ts';
import { isRefusal, refuse, REFUSALS } from '../domain/refusal.ts';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import { DatabaseUnavailable } from '../store/database-unavailable.ts';
import { ANSWER_BYTES_MAX, insertAnswer, readAnswer, tryLockKey } from '../store/idempotency.ts';
import type { StoredAnswer } from '../store/idempotency.ts';
import type { Tx } from '../store/db.ts';
import { ProviderFailure } from '../providers/provider.ts';
import { refusalsOf } from './document-parts.ts';
import type { House } from './house.ts';
import { asIdem, fingerprintOf, idemOf, parseIdempotencyKey } from './idempotency-key.ts';
import { parseInput } from './input.ts';
import type { Actor, Call, Operation } from './operation.ts';
import { problemOf } from './problem.ts';

export interface ExecuteRequest {
  readonly actor: Actor;
  /** Parsed JSON, not yet looked at. */
  readonly input: unknown;
  /** As it was sent, bare or quoted; null when none was. */
  readonly idempotencyKey: string | null;
  readonly requestId: string;
}

export interface Reply {
  readonly status: number;
  /** JSON text; `application/problem+json` from status 400 on. Empty for 204. */
  readonly body: string;
  /** The first answer to the key again, byte for byte. */
  readonly replayed: boolean;
  readonly retryAfterSeconds?: number;
  /** Set for refusals. */
  readonly code?: RefusalCode;
}

/** How long a second call with a key waits for the first before it is told to come back. */
const WAIT_FOR_FIRST_MS = 5_000;
/** Between looks at a first call that runs in another process. */
const LOOK_AGAIN_MS = 50;

/** Refusals of the moment: the same call may succeed later, so they are not kept as the key's answer. */
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'rate_limited',
  'unavailable',
  'internal',
  'idempotency_in_progress',
  'provider_error',
  'provider_timeout',
]);

/** Ends a run because the key has an answer already. */
class Answered extends Error {
  readonly answer: StoredAnswer;
  readonly isOurs: boolean;
  constructor(answer: StoredAnswer, isOurs: boolean) {
    super('the key has its answer');
    this.answer = answer;
    this.isOurs = isOurs;
  }
}

/** Ends a run because another process works on the key. */
class KeyBusy extends Error {}

/**
 * Runs one operation for one caller: who may, is the input valid, is the key new; then `run`. Never throws.
 *
 * Order of refusals: 401/403, 400 for the input, 400 for the key, 422/409 for the key's history, then the operation's own.
 */
export async function execute(house: House, operation: Operation, request: ExecuteRequest): Promise<Reply> {
  try {
    const admitted = admit(operation, request);
    if (isRefusal(admitted)) return refusalReply(admitted, request.requestId);
    if (!admitted.hasKey) return await runOnce(house, operation, request, admitted);
    return await oneAtATime(house, admitted.idem ?? '', request, () => runOnce(house, operation, request, admitted));
  } catch (error) {
    return failureReply(house, operation.name, request.requestId, error);
  }
}

interface Admitted {
  readonly input: Record<string, unknown>;
  readonly hasKey: boolean;
  readonly idem: string | null;
  readonly fingerprint: string;
}

function admit(operation: Operation, request: ExecuteRequest): Admitted | Refusal {
  const barred = checkAccess(operation, request.actor);
  if (barred) return barred;
  const parsed = parseInput(operation, request.input);
  if (isRefusal(parsed)) return parsed;
  const key = parseIdempotencyKey(operation, request.idempotencyKey);
  if (isRefusal(key)) return key;
  return {
    input: parsed.value,
    hasKey: key !== null,
    idem: key === null ? null : idemOf(operation, request.actor, key),
    fingerprint: fingerprintOf(request.input),
  };
}

/** Also asked before a body is read: who may not call is not listened to. */
export function checkAccess(operation: Operation, actor: Actor): Refusal | null {
  if (operation.access === 'anyone') return null;
  if (actor.kind === 'anonymous') return refuse('unauthenticated', 'Sign in, or send a credential.');
  if (operation.access === 'operator' && actor.kind === 'user')
    return refuse('forbidden', 'Only an operator may do this.');
  return null;
}

/** Calls with a key that run now, by identity. A house is one process: others are met at the database. */
const running = new WeakMap<House, Map<string, Promise<unknown>>>();

/** Lets one call with a key run at a time; the others wait without a database connection, then find its answer. */
async function oneAtATime(
  house: House,
  idem: string,
  request: ExecuteRequest,
  run: () => Promise<Reply>,
): Promise<Reply> {
  const calls = running.get(house) ?? new Map<string, Promise<unknown>>();
  running.set(house, calls);
  const { clock } = house.ports;
  const deadlineMs = clock.monotonicMs() + WAIT_FOR_FIRST_MS;
  for (;;) {
    const first = calls.get(idem);
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) return refusalReply(keyInProgress(), request.requestId);
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

const keyInProgress = (): Refusal =>
  refuse(
    'idempotency_in_progress',
    'The first request with this Idempotency-Key has not finished. Send it again in a moment.',
    {
      retryAfterSeconds: 1,
    },
  );

async function runOnce(
  house: House,
  operation: Operation,
  request: ExecuteRequest,
  admitted: Admitted,
): Promise<Reply> {
  const { idem, hasKey, fingerprint } = admitted;
  try {
    if (idem !== null && operation.firstAnswerIn !== 'ledger') await lookUp(house.db, idem);
    const run = new Run(house, operation, request, {
      idem: idem ?? asIdem(house.ports.random.bytes(16)),
      hasKey,
      fingerprint,
    });
    const result = await operation.run(run.call, admitted.input);
    return run.reply(result);
  } catch (error) {
    if (!(error instanceof Answered)) throw error;
    return answeredReply(error, fingerprint, request.requestId);
  }
}

async function lookUp(tx: Tx, idem: string): Promise<void> {
  const answer = await readAnswer(tx, idem);
  if (answer) throw new Answered(answer, false);
}

/** What the log says of a refusal that an operation gave without declaring it. */
export const UNDECLARED = 'an operation refused what it does not declare';

/** One run of an operation, and what it has stored. */
class Run {
  readonly call: Call;
  readonly #house: House;
  readonly #operation: Operation;
  #stored: StoredAnswer | null = null;
  #isReplayed = false;
  #firstRequestId: string | null = null;

  constructor(
    house: House,
    operation: Operation,
    request: ExecuteRequest,
    identity: Pick<Call, 'idem' | 'hasKey' | 'fingerprint'>,
  ) {
    this.#house = house;
    this.#operation = operation;
    this.call = {
      house,
      actor: request.actor,
      requestId: request.requestId,
      ...identity,
      commit: (body) => this.#commit(body),
      markReplayed: (firstRequestId) => {
        this.#isReplayed = true;
        this.#firstRequestId = firstRequestId;
      },
    };
  }

  async #commit<T>(body: (tx: Tx) => Promise<T | Refusal>): Promise<T | Refusal> {
    if (this.#stored) throw new Bug(`${this.#operation.name} commits twice`);
    // A lost connection may have committed: then the second attempt finds our own answer, which is no replay.
    let tried: StoredAnswer | null = null;
    const committed = await this.#house.db.transaction(this.#operation.name, async (tx) => {
      if (!(await tryLockKey(tx, this.call.idem))) throw new KeyBusy('the key is in use');
      const answer = await readAnswer(tx, this.call.idem);
      if (answer) throw new Answered(answer, tried?.body === answer.body);
      const result = await body(tx);
      const stored = this.#answerOf(result);
      if (stored) {
        tried = stored;
        await insertAnswer(tx, stored, this.#house.ports.clock.now());
      }
      return { result, stored };
    });
    this.#stored = committed.stored;
    return committed.result;
  }

  #answerOf(result: unknown): StoredAnswer | null {
    if (isRefusal(result) && PASSING.has(result.code)) return null;
    const { status, body } = this.#render(result);
    if (Buffer.byteLength(body) > ANSWER_BYTES_MAX)
      throw new Bug(`${this.#operation.name} answers more than can be stored`);
    const { idem, fingerprint } = this.call;
    return { idem, operation: this.#operation.name, fingerprint, status, body };
  }

  reply(result: unknown): Reply {
    if (this.#stored) return storedReply(this.#stored, false);
    if (isRefusal(result)) {
      return { ...this.#refused(result, this.#firstRequestId ?? this.call.requestId), replayed: this.#isReplayed };
    }
    return { ...this.#render(result), replayed: this.#isReplayed };
  }

  /** The caller gets the answer all the same; that the documents do not name it is ours to mend. */
  #refused(refusal: Refusal, requestId: string): Reply {
    const { name } = this.#operation;
    if (!refusalsOf(this.#operation).includes(refusal.code)) {
      this.#house.ports.log.error({ request_id: this.call.requestId, operation: name, code: refusal.code }, UNDECLARED);
    }
    return refusalReply(refusal, requestId);
  }

  #render(result: unknown): { readonly status: number; readonly body: string } {
    if (isRefusal(result)) return this.#refused(result, this.call.requestId);
    const { http, output, name } = this.#operation;
    const checked = output.safeParse(result);
    if (!checked.success) throw new Bug(`${name} answers what it does not declare: ${checked.error.message}`);
    return { status: http.status, body: http.status === 204 ? '' : JSON.stringify(checked.data) };
  }
}

function answeredReply(answered: Answered, fingerprint: string, requestId: string): Reply {
  if (answered.answer.fingerprint === fingerprint) return storedReply(answered.answer, !answered.isOurs);
  const message = 'This Idempotency-Key was used for a request with another content. Use a new key for a new intent.';
  return refusalReply(refuse('idempotency_key_reused', message), requestId);
}

function storedReply(answer: StoredAnswer, replayed: boolean): Reply {
  const reply = { status: answer.status, body: answer.body, replayed };
  if (answer.status < 400) return reply;
  const { code } = JSON.parse(answer.body) as { code: RefusalCode };
  return { ...reply, code };
}

export function refusalReply(refusal: Refusal, requestId: string): Reply {
  const { retryAfterSeconds } = refusal;
  return {
    status: REFUSALS[refusal.code].status,
    body: JSON.stringify(problemOf(refusal, requestId)),
    replayed: false,
    code: refusal.code,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** The answer for what was thrown: the outside's failures by name, everything else as ours, with the facts in the log only. */
export function failureReply(house: House, what: string, requestId: string, error: unknown): Reply {
  const { log } = house.ports;
  if (error instanceof DatabaseUnavailable) {
    log.warn(
      { request_id: requestId, operation: what, outcome: error.outcome, error },
      'the database is not available',
    );
    return refusalReply(unavailable(error), requestId);
  }
  if (error instanceof ProviderFailure) {
    log.warn(
      { request_id: requestId, operation: what, kind: error.kind, outcome: error.outcome, error },
      'a provider failed',
    );
    return refusalReply(providerRefusal(error), requestId);
  }
  log.error({ request_id: requestId, operation: what, error }, 'an operation broke');
  const message = `Something broke on our side. Give ${requestId} to the operator; a call with an Idempotency-Key can be sent again.`;
  return refusalReply(refuse('internal', message), requestId);
}

function unavailable(error: DatabaseUnavailable): Refusal {
  const message =
    error.outcome === 'unknown'
      ? 'The database did not confirm. Send the request again with the same Idempotency-Key: it happens once.'
      : 'The database is not available. Nothing was done; send the request again.';
  return refuse('unavailable', message, { retryAfterSeconds: error.retryAfterSeconds });
}

function providerRefusal(error: ProviderFailure): Refusal {
  const again = 'Nothing is lost: send the request again with the same Idempotency-Key.';
  if (error.kind === 'timeout') {
    return refuse('provider_timeout', `The payment provider did not answer in time. ${again}`, {
      retryAfterSeconds: 5,
    });
  }
  return refuse('provider_error', `The payment provider refused or failed. ${again}`, { retryAfterSeconds: 5 });
}
