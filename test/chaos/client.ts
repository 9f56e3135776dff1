import type { Balancer } from './balancer.ts';
import type { Dice } from './dice.ts';
import type { Answer, Intent, Journal, Noun } from './journal.ts';
import { pause } from './processes.ts';
import type { Recovery } from './recovery.ts';
import { Reporter, type SharedWallet } from './reporter.ts';
import { ADMIN_SECRET, type Server } from './server.ts';
import type { Stripe } from './stripe.ts';
import { send, textIn, type Reply } from './wire.ts';

/** What all clients share. */
export interface Site {
  readonly servers: readonly Server[];
  readonly balancer: Balancer;
  readonly stripe: Stripe;
  readonly journal: Journal;
  readonly recovery: Recovery;
  /** What no client may ever see, in sentences. */
  readonly violations: string[];
  /** Wallets that many draw on. */
  readonly shared: readonly SharedWallet[];
  isOver: boolean;
}

/** What only this client has. */
export interface Belongings {
  readonly ownWallet: string;
  readonly nodeKey: string;
}

interface Asked {
  readonly noun: Noun;
  readonly wallet: string;
  readonly micros: bigint;
  readonly route: string;
  readonly body: (key: string) => object;
  readonly about?: string;
}

/** A paused server may hold an answer for long; a client that waits with it learns nothing. */
const ATTEMPT_WITHIN_MS = 3_000;
/** Then the client does not know, and says so. */
const GIVES_UP_AFTER_MS = 25_000;
const BETWEEN_ATTEMPTS_MS = 40;
/** So many walk away at the first trouble and never learn what became of it. */
const WALKS_AWAY = 0.1;
/** So many answers are asked for again, elsewhere: they must be the same, byte for byte. */
const ASKS_AGAIN = 0.03;
/** Far above what any wallet here holds. */
const TOO_MUCH = 900_000_000_000n;
const CENT = 10_000n;

/** Somebody who moves money, writes down what was meant and what was told, and repeats a request with its key until it is answered. */
export class Client {
  readonly #name: string;
  readonly #site: Site;
  readonly #dice: Dice;
  /** Nobody else touches it: each adjustment must find what the one before left. */
  readonly #own: string;
  /** Null: an adjustment was left unknown. */
  #ownCents: number | null = 0;
  #count = 0;
  /** Acknowledged so far. */
  done = 0;

  readonly #reporter: Reporter;

  constructor(name: string, site: Site, dice: Dice, { ownWallet, nodeKey }: Belongings) {
    this.#name = name;
    this.#site = site;
    this.#dice = dice;
    this.#own = ownWallet;
    this.#reporter = new Reporter({ name, site, dice, nodeKey });
  }

  async run(): Promise<void> {
    while (!this.#site.isOver) {
      const roll = this.#dice.unit();
      if (roll < 0.5) await this.#debit();
      else if (roll < 0.72) this.done += await this.#reporter.report();
      else if (roll < 0.86) await this.#hold();
      else if (roll < 0.97) await this.#adjust();
      else await this.#topUp();
    }
  }

  async #debit(): Promise<void> {
    const wallet = this.#dice.pick(this.#site.shared).sid;
    const micros = this.#dice.chance(0.02) ? TOO_MUCH : BigInt(this.#dice.between(1, 90_000));
    await this.#ask({
      noun: 'debit',
      wallet,
      micros,
      route: `/v1/billings/${wallet}/debits`,
      body: (key) => ({ amount: decimal(micros), description: key }),
    });
  }

  async #adjust(): Promise<void> {
    const cents = this.#dice.between(-5_000, 500_000);
    const answer = await this.#ask({
      noun: 'adjust',
      wallet: this.#own,
      micros: BigInt(cents) * CENT,
      route: '/admin/balance-adjust',
      body: (key) => ({ sid: this.#own, balance_cents: cents, reason: key }),
    });
    if (answer.outcome !== 'acknowledged') {
      this.#ownCents = null;
      return;
    }
    const { prev_balance: found } = JSON.parse(answer.text) as { readonly prev_balance: number };
    if (this.#ownCents !== null && found !== this.#ownCents) {
      this.#site.violations.push(`${answer.key}: found ${found} cents where ${this.#ownCents} had been acknowledged`);
    }
    this.#ownCents = cents;
  }

  async #hold(): Promise<void> {
    const wallet = this.#dice.pick(this.#site.shared).sid;
    const micros = BigInt(this.#dice.between(2, 200_000));
    const reserved = await this.#ask({
      noun: 'reserve',
      wallet,
      micros,
      route: '/v1/holds',
      body: (key) => ({ wallet_sid: wallet, amount: decimal(micros), description: key }),
    });
    if (reserved.sid === null || this.#dice.chance(0.03)) return;
    const captured = this.#dice.chance(0.6) ? BigInt(this.#dice.between(1, Number(micros))) : null;
    const verb = captured === null ? 'release' : 'capture';
    await this.#ask({
      noun: verb,
      wallet,
      micros: captured ?? 0n,
      route: `/v1/holds/${reserved.sid}/${verb}`,
      body: () => (captured === null ? {} : { amount: decimal(captured) }),
      about: reserved.sid,
    });
  }

  async #topUp(): Promise<void> {
    const wallet = this.#dice.pick(this.#site.shared).sid;
    const micros = BigInt(this.#dice.between(500, 9_000)) * CENT;
    const opened = await this.#ask({
      noun: 'top_up',
      wallet,
      micros,
      route: '/v1/payments',
      body: () => ({ provider: 'stripe', amount: decimal(micros), wallet_sid: wallet }),
    });
    const session = /\/c\/pay\/(\w+)/.exec(textIn(opened.text, 'checkout_url') ?? '')?.[1];
    if (opened.sid === null || session === undefined || this.#dice.chance(0.05)) return;
    if (!(await this.#site.stripe.pay(session))) return;
    await this.#untilCredited(wallet, micros, opened.sid);
  }

  /** Asks for the payment until the house says that it is credited: an acknowledgement like any other. */
  async #untilCredited(wallet: string, micros: bigint, payment: string): Promise<void> {
    const key = this.#newKey();
    const { journal } = this.#site;
    await journal.write({ entry: 'intent', key, noun: 'credit', wallet, micros: String(micros), about: payment });
    const startedMs = performance.now();
    while (performance.now() - startedMs < GIVES_UP_AFTER_MS) {
      const { status, text } = await this.#attempt(
        this.#site.balancer.pick(this.#dice),
        `/v1/payments/${payment}/check`,
        {},
        key,
      );
      if (status === 200 && textIn(text, 'state') === 'credited') {
        await journal.write({ entry: 'answer', key, outcome: 'acknowledged', status, code: null, sid: payment });
        this.done += 1;
        return;
      }
      await pause(BETWEEN_ATTEMPTS_MS * 5);
    }
    await journal.write({ entry: 'answer', key, outcome: 'unknown', status: 0, code: null, sid: payment });
  }

  readonly #newKey = (): string => `${this.#name}-${(this.#count += 1)}`;

  async #ask({ noun, wallet, micros, route, body, about }: Asked): Promise<Answer & { readonly text: string }> {
    const key = this.#newKey();
    const intent: Intent = { entry: 'intent', key, noun, wallet, micros: String(micros), about: about ?? null };
    await this.#site.journal.write(intent);
    const { outcome, reply } = await this.#insist(route, body(key), key);
    const answer: Answer = {
      entry: 'answer',
      key,
      outcome,
      status: reply.status,
      code: textIn(reply.text, 'code'),
      sid: outcome === 'acknowledged' ? textIn(reply.text, 'sid') : null,
    };
    await this.#site.journal.write(answer);
    if (outcome === 'acknowledged') this.done += 1;
    if (outcome === 'acknowledged' && this.#dice.chance(ASKS_AGAIN)) await this.#askAgain(route, body(key), key, reply);
    return { ...answer, text: reply.text };
  }

  async #insist(route: string, body: object, key: string): Promise<{ outcome: Answer['outcome']; reply: Reply }> {
    const startedMs = performance.now();
    const walksAway = this.#dice.chance(WALKS_AWAY);
    for (;;) {
      const reply = await this.#attempt(this.#site.balancer.pick(this.#dice), route, body, key);
      if (reply.status >= 200 && reply.status < 300) return { outcome: 'acknowledged', reply };
      if (!mayBeRepeated(reply)) return { outcome: 'refused', reply };
      if (walksAway || performance.now() - startedMs > GIVES_UP_AFTER_MS) return { outcome: 'unknown', reply };
      await pause(BETWEEN_ATTEMPTS_MS);
    }
  }

  /** The first answer is the answer: as often as it is asked for, and whichever server is asked. */
  async #askAgain(route: string, body: object, key: string, first: Reply): Promise<void> {
    const again = await this.#attempt(this.#site.balancer.pick(this.#dice), route, body, key);
    if (mayBeRepeated(again) || again.text === first.text) return;
    this.#site.violations.push(`${key}: answered ${first.text} and then ${again.status} ${again.text}`);
  }

  async #attempt(server: Server, route: string, body: object, key: string): Promise<Reply> {
    const startedMs = performance.now();
    const headers = { 'x-hero-onboarding-admin-secret': ADMIN_SECRET, 'idempotency-key': key };
    const reply = await send({ method: 'POST', url: server.url + route, headers, body, withinMs: ATTEMPT_WITHIN_MS });
    const isServed = reply.status > 0 && reply.status < 500;
    this.#site.balancer.met(server, isServed);
    this.#site.recovery.met({ server: server.number, isServed, ms: performance.now() - startedMs });
    if (reply.status === 500) this.#site.violations.push(`${key}: ${route} answered 500 ${reply.text}`);
    return reply;
  }
}

/** Nothing, or not now: the same request with the same key is right. */
const mayBeRepeated = ({ status, text }: Reply): boolean =>
  status === 0 || status >= 500 || status === 429 || textIn(text, 'code') === 'idempotency_in_progress';

/** Micro-dollars as the wire has them. */
function decimal(micros: bigint): string {
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}
