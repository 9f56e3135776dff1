import { claimDeliveries, isAnyDue, type ClaimedDelivery } from '../../store/delivery.ts';
import type { House } from '../house.ts';
import { ATTEMPT_MS, sendDelivery } from './send.ts';

/** At once in this process; each waits for somebody else's machine most of its time. */
const FLIGHTS_MAX = 32;
/** At once to one endpoint: who is slow holds up two of them, and nobody else. */
const FLIGHTS_OF_ENDPOINT_MAX = 2;
/** What a process that died had in flight is taken up again after this. */
const LEASE_MS = ATTEMPT_MS + 45_000;
/** How often new ones are looked for while others are under way. */
const LOOK_AGAIN_MS = 500;

const NEVER = new AbortController().signal;

/**
 * Sends what is due until nothing is due and nothing is under way. After the signal nothing more is begun.
 *
 * Shape: how many attempts were made.
 * Safe to: run in several processes at once, and again after a crash.
 */
export async function sendDueDeliveries(house: House, signal: AbortSignal = NEVER): Promise<number> {
  if (!(await isAnyDue(house.db, house.ports.clock.now()))) return 0;
  const flights = new Flights(house);
  for (;;) {
    if (!signal.aborted && !flights.hasFailed) await flights.take();
    if (flights.size === 0) return flights.end();
    await flights.oneLands();
  }
}

class Flights {
  readonly #house: House;
  readonly #underWay = new Map<ClaimedDelivery, Promise<void>>();
  #begun = 0;
  #landed = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(house: House) {
    this.#house = house;
  }

  get size(): number {
    return this.#underWay.size;
  }
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Begins as many as there is room for. Each round takes one of each endpoint, so that all come to their turn. */
  async take(): Promise<void> {
    const { db, ports } = this.#house;
    for (;;) {
      const landed = this.#landed;
      const room = FLIGHTS_MAX - this.size;
      if (room <= 0) return;
      const now = ports.clock.now();
      const leaseEndsAt = new Date(now.getTime() + LEASE_MS);
      const claim = { now, leaseEndsAt, busy: this.#busy(), limit: room };
      const claimed = await db.transaction('delivery.claim', (tx) => claimDeliveries(tx, claim));
      // Who landed while we asked has made room that the answer does not know of.
      if (claimed.length === 0 && landed === this.#landed) return;
      for (const delivery of claimed) this.#begin(delivery);
    }
  }

  #busy(): string[] {
    const counts = new Map<string, number>();
    for (const { endpoint } of this.#underWay.keys()) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= FLIGHTS_OF_ENDPOINT_MAX).map(([endpoint]) => endpoint);
  }

  #begin(delivery: ClaimedDelivery): void {
    this.#begun += 1;
    const land = async (): Promise<void> => {
      try {
        await sendDelivery(this.#house, delivery);
      } catch (error) {
        this.#failure ??= { error };
      } finally {
        this.#underWay.delete(delivery);
        this.#landed += 1;
      }
    };
    this.#underWay.set(delivery, land());
  }

  async oneLands(): Promise<void> {
    const isOver = new AbortController();
    const { clock } = this.#house.ports;
    await Promise.race([...this.#underWay.values(), clock.sleep(LOOK_AGAIN_MS, isOver.signal)]);
    isOver.abort();
  }

  /** Throws what went wrong, once nothing is under way any more. */
  end(): number {
    if (this.#failure !== null) throw this.#failure.error;
    return this.#begun;
  }
}
