import type { Dice } from './dice.ts';
import type { Answer, Intent } from './journal.ts';
import type { Site } from './client.ts';
import { pause } from './processes.ts';
import { send } from './wire.ts';

/** A wallet that many draw on, and whose it is. */
export interface SharedWallet {
  readonly sid: string;
  readonly userSid: string;
}

export interface ReporterOptions {
  readonly name: string;
  readonly site: Site;
  readonly dice: Dice;
  /** The key of its node. */
  readonly nodeKey: string;
}

const ATTEMPT_WITHIN_MS = 3_000;
const GIVES_UP_AFTER_MS = 25_000;
const BETWEEN_ATTEMPTS_MS = 40;
const ASKS_AGAIN = 0.1;
/** The category with this price is made at the start: a quantity of one costs one micro-dollar. */
export const CATEGORY = { category: 'chaos', kind: 'per_unit', unit: 'micro', amount: '0.000001' } as const;

interface Told {
  readonly outcome: string;
  readonly code: string | null;
  readonly charge: string | null;
  readonly balance: string | null;
  readonly entry: number | null;
}

interface Reported {
  readonly key: string;
  readonly body: object;
}

/** A node: tells many records at once, and those that were not answered again, until each of them is. */
export class Reporter {
  readonly #options: ReporterOptions;
  #count = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Answers how many records were acknowledged. */
  async report(): Promise<number> {
    const { dice, site } = this.#options;
    const records = Array.from({ length: dice.between(2, 40) }, () => this.#draw());
    await Promise.all(records.map(({ intent }) => site.journal.write(intent)));
    const told = await this.#insist(records);
    const answers = records.map(({ key }) => answerOf(key, told.get(key)));
    await Promise.all(answers.map((answer) => site.journal.write(answer)));
    if (told.size > 0 && dice.chance(ASKS_AGAIN)) await this.#askAgain(records, told);
    return answers.filter(({ outcome }) => outcome === 'acknowledged').length;
  }

  #draw(): Reported & { readonly intent: Intent } {
    const { name, dice, site } = this.#options;
    const wallet = dice.pick(site.shared);
    const micros = dice.between(1, 90_000);
    const key = `${name}-u${(this.#count += 1)}`;
    return {
      key,
      intent: { entry: 'intent', key, noun: 'usage', wallet: wallet.sid, micros: String(micros), about: null },
      body: {
        idempotency_key: key,
        user_sid: wallet.userSid,
        applies_to: CATEGORY.category,
        resource_kind: 'one',
        quantity: String(micros),
        occurred_at: new Date().toISOString(),
        description: key,
        // Each client has a node of its own, so its own count is the node's.
        seq: this.#count,
      },
    };
  }

  /** What became of each record; those that nothing is known of are not in it. */
  async #insist(records: readonly Reported[]): Promise<Map<string, Told>> {
    const told = new Map<string, Told>();
    const startedMs = performance.now();
    let waiting = records;
    while (waiting.length > 0 && performance.now() - startedMs < GIVES_UP_AFTER_MS) {
      const answers = await this.#attempt(waiting);
      for (const [index, { key }] of waiting.entries()) {
        const answer = answers?.[index];
        if (answer && !mayBeRepeated(answer)) told.set(key, answer);
      }
      waiting = waiting.filter(({ key }) => !told.has(key));
      if (waiting.length > 0) await pause(BETWEEN_ATTEMPTS_MS);
    }
    return told;
  }

  /** The first answer to a record is its answer, whichever server is asked. */
  async #askAgain(records: readonly Reported[], told: ReadonlyMap<string, Told>): Promise<void> {
    const again = await this.#attempt(records);
    for (const [index, { key }] of records.entries()) {
      const [first, second] = [told.get(key), again?.[index]];
      if (!first || !second || mayBeRepeated(second) || isSame(first, second)) continue;
      this.#options.site.violations.push(
        `${key}: answered ${JSON.stringify(first)} and then ${JSON.stringify(second)}`,
      );
    }
  }

  /** Null: no answer, or not now. */
  async #attempt(records: readonly Reported[]): Promise<readonly Told[] | null> {
    const { site, dice, nodeKey } = this.#options;
    const server = site.balancer.pick(dice);
    const startedMs = performance.now();
    const url = `${server.url}/v1/usage`;
    const headers = { authorization: `Bearer ${nodeKey}` };
    const body = { records: records.map((record) => record.body) };
    const { status, text } = await send({ method: 'POST', url, headers, body, withinMs: ATTEMPT_WITHIN_MS });
    const isServed = status > 0 && status < 500;
    site.balancer.met(server, isServed);
    site.recovery.met({ server: server.number, isServed, ms: performance.now() - startedMs });
    if (status === 200) return (JSON.parse(text) as { readonly items: readonly Told[] }).items;
    if (status === 500 || (isServed && status !== 429)) site.violations.push(`a report was answered ${status} ${text}`);
    return null;
  }
}

const mayBeRepeated = ({ outcome, code }: Told): boolean =>
  outcome === 'refused' && (code === 'rate_limited' || code === 'unavailable');

const isSame = (one: Told, other: Told): boolean =>
  one.outcome === other.outcome &&
  one.charge === other.charge &&
  one.balance === other.balance &&
  one.entry === other.entry;

function answerOf(key: string, told: Told | undefined): Answer {
  const outcome = told === undefined ? 'unknown' : told.outcome === 'applied' ? 'acknowledged' : 'refused';
  return { entry: 'answer', key, outcome, status: told === undefined ? 0 : 200, code: told?.code ?? null, sid: null };
}
