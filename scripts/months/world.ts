import { createClient, type Client } from '../../client/client.ts';
import type { OwnServer } from '../own-server.ts';

export const DAY_MS = 86_400_000;
const WITHIN_MS = 30_000;
const MICROS_DECIMALS = 6;

/** What the story is told of: a sandbox of its own, whose first day begins at a midnight of UTC. */
export class World {
  readonly url: string;
  readonly operator: Client;
  readonly beginsAt: number;
  /** What deeds leave for later ones. */
  readonly kept = new Map<string, string>();
  #key = 0;

  private constructor(url: string, operator: Client, beginsAt: number) {
    this.url = url;
    this.operator = operator;
    this.beginsAt = beginsAt;
  }

  static async begin(server: OwnServer): Promise<World> {
    const operator = createClient({ url: server.url, adminSecret: server.adminSecret });
    const { now } = await operator.call('clock.get', {});
    const world = new World(server.url, operator, (Math.floor(Date.parse(now) / DAY_MS) + 1) * DAY_MS);
    await world.moveTo(0);
    return world;
  }

  at(day: number): Date {
    return new Date(this.beginsAt + day * DAY_MS);
  }

  dayOf(instant: string): number {
    return (Date.parse(instant) - this.beginsAt) / DAY_MS;
  }

  recall(name: string): string {
    const value = this.kept.get(name);
    if (value === undefined) throw new Error(`nothing has left ${name}`);
    return value;
  }

  /** In the order of the story, so that a call that is sent again is the same. */
  key(): { readonly idempotencyKey: string } {
    this.#key += 1;
    return { idempotencyKey: `months-${this.#key}` };
  }

  /** Moves the clock to a day, and waits until it is there; stays where it is when that day has come. */
  async moveTo(day: number): Promise<void> {
    const { now } = await this.operator.call('clock.get', {});
    const to = this.at(day);
    if (Date.parse(now) >= to.getTime()) return;
    const { goal } = await this.operator.call('clock.advance', { to: to.toISOString() });
    if (goal === null) return;
    await until(
      'the clock is there',
      () => this.operator.call('clock.get', {}),
      (clock) => clock.goal === null,
    );
  }

  /** From the order over the provider's page to the credit. */
  async topUp(amount: string): Promise<void> {
    const order = { provider: 'stripe', amount, wallet_sid: this.recall('wallet') } as const;
    const payment = await this.operator.call('payment.create', order, this.key());
    const page = String(payment.checkout_url);
    const paid = await fetch(page, {
      method: 'POST',
      body: new URLSearchParams({ choice: 'pay' }),
      redirect: 'manual',
    });
    if (paid.status >= 400) throw new Error(`the checkout page answered ${paid.status}`);
    await until(
      'the payment is credited',
      () => this.operator.call('payment.get', { sid: payment.sid }),
      ({ state }) => state === 'credited',
    );
  }
}

/** Asks until it is so: for what a worker does after the answer. */
export async function until<T>(what: string, ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${WITHIN_MS / 1_000} seconds`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Of decimal text, exactly. */
export function microsOf(text: string): bigint {
  const [whole = '0', part = ''] = text.replace('-', '').split('.');
  const size = BigInt(whole + part.padEnd(MICROS_DECIMALS, '0'));
  return text.startsWith('-') ? -size : size;
}

/** With two decimals, or as many more as there is something in. */
export function dollars(micros: bigint): string {
  const digits = (micros < 0n ? -micros : micros).toString().padStart(MICROS_DECIMALS + 1, '0');
  const part = digits.slice(-MICROS_DECIMALS).replace(/0{1,4}$/, '');
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -MICROS_DECIMALS)}.${part}`;
}
