import { amountOf } from './amounts.ts';
import { sidIn, textIn } from './caller.ts';
import type { Intent } from './history.ts';
import type { Person } from './people.ts';
import type { Chance } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';

/** Asks as an operator, and again until there is an answer or patience ends. */
export type Ask = (
  operation: string,
  input: Readonly<Record<string, unknown>>,
  person: Person,
  chance: Chance,
) => Promise<Intent>;

export interface HoldersOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly ask: Ask;
}

interface Hold {
  readonly sid: string;
  /** As it was asked for, in decimal dollars. */
  readonly amount: string;
}

/** Programs that reserve before they spend, and then settle: in time, late, twice, with too much, or never. */
export class Holders {
  readonly #options: HoldersOptions;
  /** By wallet, the latest last. */
  readonly #holds = new Map<string, Hold[]>();

  constructor(options: HoldersOptions) {
    this.#options = options;
  }

  sidsOf(walletSid: string): string[] {
    return (this.#holds.get(walletSid) ?? []).map(({ sid }) => sid);
  }

  async reserve(chance: Chance, person: Person): Promise<void> {
    const expires = chance.weighted([
      [chance.between(1, 30), 3],
      [chance.between(60, 3_600), 3],
    ]);
    const amount = amountOf(chance);
    const { walletSid } = person;
    const input = { wallet_sid: walletSid, amount, description: 'deed', expires_in_seconds: expires };
    const intent = await this.#options.ask('hold.reserve', input, person, chance);
    const sid = sidIn(intent, 201);
    if (sid === null) return;
    const hold = { sid, amount };
    this.#holds.set(walletSid, [...(this.#holds.get(walletSid) ?? []), hold]);
    // A call that takes as long as it may: it ends when its hold does.
    if (chance.is(0.6)) await this.#settleAtItsEnd(chance, person, intent, hold);
  }

  /** Mostly the latest of the wallet's holds; a new one where there is none. */
  async settleOne(chance: Chance, person: Person): Promise<void> {
    const holds = this.#holds.get(person.walletSid) ?? [];
    const latest = holds.at(-1);
    if (!latest) return await this.reserve(chance, person);
    await this.#settle(chance, person, chance.is(0.8) ? latest : chance.pick(holds));
  }

  async #settleAtItsEnd(chance: Chance, person: Person, intent: Intent, hold: Hold): Promise<void> {
    const { scheduler, life } = this.#options;
    const endsMs = Date.parse(textIn(intent, 201, 'expires_at') ?? '');
    if (endsMs - scheduler.nowMs > 86_400_000) return;
    await scheduler.park(life, endsMs - scheduler.nowMs + chance.between(-2_000, 60_000), 'the end of a hold');
    await this.#settle(chance, person, hold);
  }

  async #settle(chance: Chance, person: Person, hold: Hold): Promise<void> {
    if (chance.is(0.7)) await this.#capture(chance, person, hold);
    else await this.#options.ask('hold.release', { sid: hold.sid }, person, chance);
    // A program that lost its notes settles the same call a second time, under another key.
    if (chance.is(0.3)) await this.#capture(chance, person, hold);
  }

  /** Mostly what was held or a part of it; sometimes anything, which may be more. */
  async #capture(chance: Chance, person: Person, { sid, amount: held }: Hold): Promise<void> {
    const amount = chance.weighted([
      [held, 3],
      ['0.01', 2],
      [amountOf(chance), 2],
    ]);
    await this.#options.ask('hold.capture', { sid, amount }, person, chance);
  }
}
