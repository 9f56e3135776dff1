import { execute } from '../../src/operations/execute.ts';
import type { Actor } from '../../src/operations/operation.ts';
import type { Weather } from './faults.ts';
import { isFinalAnswer, type Asker, type Attempt, type History, type Intent } from './history.ts';
import type { Mark } from './marks.ts';
import { findOperation } from './operations.ts';
import { Chance } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { World } from './world.ts';

export interface CallerOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly world: World;
  readonly history: History;
  readonly life: Life;
  readonly mark: (mark: Mark) => void;
}

export interface Asked {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
  readonly asker: Asker;
  /** The wallet that the call is about. */
  readonly walletSid: string | null;
  readonly chance: Chance;
  /** Whether the call carries an Idempotency-Key. */
  readonly hasKey: boolean;
  readonly afterSeq?: number;
  /** Calls of one crowd set out together, to one process. */
  readonly crowd?: string;
}

const ATTEMPTS_MAX = 8;
const PATIENCE_MS = 30_000;

/** One caller's side of the wire: asks, waits as long as patience lasts, repeats with the same key, at another process perhaps. */
export class Caller {
  readonly #options: CallerOptions;
  readonly #lastProcess = new WeakMap<Intent, number>();

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call(asked: Asked): Promise<Intent> {
    const { history, weather } = this.#options;
    const { operation, actor, asker, walletSid, hasKey, afterSeq, crowd } = asked;
    const number = history.intents.length;
    // The text by which the oracle finds what came of it in the ledger.
    const input = { ...asked.input };
    for (const field of ['description', 'reason']) if (field in input) input[field] = `intent ${number}`;
    const key = hasKey ? `key-${number}` : null;
    const userSid = actor.kind === 'user' ? actor.userSid : null;
    const more = {
      ...(afterSeq === undefined ? {} : { afterSeq }),
      ...(actor.kind === 'node' ? { nodeSid: actor.node.sid } : {}),
    };
    const intent = history.add({ operation, input, asker, userSid, key, walletSid, ...more });
    await this.#insist(intent, actor, asked.chance, crowd);
    if (key !== null && weather.strikes('client_duplicate')) await this.#duplicate(intent, actor, asked.chance);
    if (key !== null && weather.strikes('client_key_reuse')) await this.#reuse(intent, actor);
    return intent;
  }

  /** Repeats with the same key until there is an answer that ends it, or patience does. */
  async #insist(intent: Intent, actor: Actor, chance: Chance, crowd?: string): Promise<void> {
    const { scheduler, weather, mark, life } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      await this.#attempt(intent, intent.input, actor, crowd);
      const last = intent.attempts.at(-1);
      if (last && isFinalAnswer(last)) return;
      if (weather.strikes('client_key_forgotten')) return mark('a client gives up without an answer');
      await scheduler.park(life, chance.between(50, 4_000) * (attempt + 1), 'again');
    }
  }

  /** The same request once more, at once or long after; by then the wallet has another balance. */
  async #duplicate(intent: Intent, actor: Actor, chance: Chance): Promise<void> {
    const { scheduler, life } = this.#options;
    await scheduler.park(life, chance.is(0.5) ? 0 : chance.between(1_000, 600_000), 'duplicate');
    await this.#attempt(intent, intent.input, actor);
  }

  /** The same key with another body, which must be refused and leave no trace. */
  async #reuse(intent: Intent, actor: Actor): Promise<void> {
    const { mark, world } = this.#options;
    const other = { ...intent.input };
    // No intent asks for these: top-ups are in whole dollars, the other amounts are below a thousand.
    if ('amount' in other) other['amount'] = intent.operation === 'payment.create' ? '77.77' : '1234.56';
    else if ('balance_cents' in other) other['balance_cents'] = 77_777;
    else return;
    const last = intent.attempts.at(-1);
    if (!last || last.status === null || last.status >= 300) return;
    const copy: Intent = { ...intent, attempts: [] };
    await this.#attempt(copy, other, actor);
    const [answer] = copy.attempts;
    if (!answer || answer.status === null || !isFinalAnswer(answer)) return;
    if (answer.status === 422 && answer.body?.includes('"idempotency_key_reused"') === true)
      mark('a reused key is refused');
    else world.options.onBreak('I30 a reused key is refused', `intent ${intent.number} answered ${answer.status}`);
  }

  async #attempt(intent: Intent, input: object, actor: Actor, crowd?: string): Promise<void> {
    const { scheduler, weather, world, life, mark } = this.#options;
    const chance = new Chance(scheduler.steps, `route/${crowd ?? intent.number}`);
    const process = world.pickProcess(chance);
    await scheduler.park(life, chance.between(1, 40), 'request');
    const attempt: Attempt = { startStep: scheduler.steps, endStep: null, status: null, body: null, isReplay: false };
    intent.attempts.push(attempt);
    if (!process) return mark('no process is up');
    if (process.life.isDead) return;
    const before = this.#lastProcess.get(intent);
    if (before !== undefined && before !== process.index) mark('a repetition meets another process');
    this.#lastProcess.set(intent, process.index);
    const over = new AbortController();
    const patienceMs = weather.strikes('client_timeout') ? chance.between(1, 400) : PATIENCE_MS;
    const patience = scheduler.sleep(life, patienceMs, over.signal).then(() => null);
    const call = execute(process.house, findOperation(intent.operation), {
      actor,
      input,
      idempotencyKey: intent.key,
      requestId: process.house.ports.ids.requestId(),
    });
    const reply = await Promise.race([call, patience]);
    over.abort('answered');
    if (reply === null) return;
    attempt.endStep = scheduler.steps;
    attempt.status = reply.status;
    attempt.body = reply.body;
    attempt.isReplay = reply.replayed;
    if (reply.status === 409 && reply.body.includes('"idempotency_in_progress"')) mark('a first call still runs');
    if (reply.status === 429) mark('a full queue turns a call away');
    scheduler.note(`answer ${intent.number} ${reply.status} ${reply.body.length}`);
  }
}

/** The sid that an answer of this status named. */
export function sidIn(intent: Intent, status: number): string | null {
  return textIn(intent, status, 'sid');
}

export function textIn(intent: Intent, status: number, field: string): string | null {
  const done = intent.attempts.find((attempt) => attempt.status === status);
  if (!done || done.body === null) return null;
  const answer = JSON.parse(done.body) as Record<string, unknown>;
  const value = answer[field];
  return typeof value === 'string' ? value : null;
}
