import { Bug } from '../domain/assert.ts';
import { isRefusal } from '../domain/refusal.ts';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import type { Tx } from '../store/db.ts';
import { ANSWER_BYTES_MAX, insertAnswer, readAnswer, tryLockKey } from '../store/idempotency.ts';
import type { StoredAnswer } from '../store/idempotency.ts';
import { refusalsOf } from './document-parts.ts';
import type { House } from './house.ts';
import type { Actor, Call, Operation } from './operation.ts';
import { refusalReply, storedReply } from './reply.ts';
import type { Reply } from './reply.ts';

/** Refusals of the moment: the same call may succeed later, so they are not kept as the key's answer. */
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'rate_limited',
  'cap_reached',
  'unavailable',
  'internal',
  'idempotency_in_progress',
  'provider_error',
  'provider_timeout',
]);

/** Ends a run because the key has an answer already. */
export class Answered extends Error {
  readonly answer: StoredAnswer;
  readonly isOurs: boolean;
  constructor(answer: StoredAnswer, isOurs: boolean) {
    super('the key has its answer');
    this.answer = answer;
    this.isOurs = isOurs;
  }
}

/** Ends a run whose writes must not stay: thrown in its transaction, answered as a refusal, and not kept as the key's answer. */
export class Undone extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Ends a run because another process works on the key. */
export class KeyBusy extends Error {}

/** What the log says of a refusal that an operation gave without declaring it. */
export const UNDECLARED = 'an operation refused what it does not declare';

/** One run of an operation, and what it has stored. */
export class Run {
  readonly call: Call;
  readonly #house: House;
  readonly #operation: Operation;
  #stored: StoredAnswer | null = null;
  #isReplayed = false;
  #firstRequestId: string | null = null;

  constructor(
    house: House,
    operation: Operation,
    request: { readonly actor: Actor; readonly requestId: string },
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
