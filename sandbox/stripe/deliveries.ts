import { Stripe } from 'stripe';
import { idFrom, unixSeconds, type SandboxClock, type SandboxRandom } from './ports.ts';
import type { SandboxEvent } from './records.ts';
import type { Switches } from './switches.ts';

export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  /** held: waits for the reorder window · lost: never left · given_up: every attempt failed */
  state: 'held' | 'waiting' | 'delivered' | 'lost' | 'given_up';
  readonly attempts: { readonly at: string; readonly status: number | null; readonly error: string | null }[];
}

export interface DeliveriesOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly switches: Switches;
  readonly fetch: typeof fetch;
  /** Waits before the second and each further attempt. */
  readonly retryDelaysMs: readonly number[];
  /** Told when an endpoint has taken an event. */
  readonly onDelivered: (event: SandboxEvent) => void;
}

/** Stripe retries for three days; a simulation has less time. */
export const RETRY_DELAYS_MS = [1_000, 5_000, 15_000, 60_000, 300_000] as const;
const ATTEMPT_MS_MAX = 10_000;

/** A copy of one event on its way, with what the forger asked to be different. */
export interface Signing {
  readonly secret?: string | undefined;
  /** Added to the signed time. */
  readonly offsetSeconds?: number | undefined;
}

/** Sends events to the webhook endpoint: signed by Stripe's own code, retried, and disturbed as the switches say. */
export class Deliveries {
  readonly all: Delivery[] = [];
  readonly #options: DeliveriesOptions;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #held: { readonly delivery: Delivery; readonly event: SandboxEvent; readonly signing: Signing }[] = [];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Sends an event once and `duplicates` times more. Returns at once; `settled` waits for the end. */
  send(event: SandboxEvent, signing: Signing = {}, copies = 1 + this.#options.switches.duplicates): Delivery[] {
    return Array.from({ length: copies }, () => this.#sendCopy(event, signing));
  }

  /** Sends what the reorder window still holds, in reverse. */
  flush(): void {
    const held = this.#held.toReversed();
    this.#held = [];
    // One after the other: otherwise the network decides about the order after all.
    this.#track(
      (async () => {
        for (const { delivery, event, signing } of held) await this.#run(delivery, event, signing);
      })(),
    );
  }

  /** Resolves once nothing is on its way. What the reorder window holds does not count. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  #sendCopy(event: SandboxEvent, signing: Signing): Delivery {
    const { switches, random } = this.#options;
    const delivery: Delivery = {
      id: idFrom(random, 'we_delivery_', 12),
      eventId: event.id,
      type: event.type,
      state: 'waiting',
      attempts: [],
    };
    this.all.push(delivery);
    const [die = 0] = random.bytes(1);
    if (switches.webhookUrl === null || die / 256 < switches.lossRate) {
      delivery.state = 'lost';
    } else if (switches.reorderWindow > 1) {
      delivery.state = 'held';
      this.#held.push({ delivery, event, signing });
      if (this.#held.length >= switches.reorderWindow) this.flush();
    } else {
      this.#track(this.#run(delivery, event, signing));
    }
    return delivery;
  }

  #track(run: Promise<void>): void {
    const tracked = run.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #run(delivery: Delivery, event: SandboxEvent, signing: Signing): Promise<void> {
    const { clock, switches, retryDelaysMs } = this.#options;
    const { signal } = this.#closing;
    delivery.state = 'waiting';
    for (const waitMs of [switches.delayMs, ...retryDelaysMs]) {
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      if (await this.#attempt(delivery, event, signing)) {
        delivery.state = 'delivered';
        this.#options.onDelivered(event);
        return;
      }
    }
    delivery.state = 'given_up';
  }

  async #attempt(delivery: Delivery, event: SandboxEvent, signing: Signing): Promise<boolean> {
    const { clock, switches, fetch } = this.#options;
    if (switches.webhookUrl === null) return false;
    const now = clock.now();
    const at = now.toISOString();
    const over = new AbortController();
    const timer = clock.sleep(ATTEMPT_MS_MAX, over.signal).then(() => over.abort());
    try {
      const answer = await fetch(switches.webhookUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks; sandbox)',
          'stripe-signature': Stripe.webhooks.generateTestHeaderString({
            payload: event.payload,
            secret: signing.secret ?? switches.webhookSecret,
            timestamp: unixSeconds(now) + (signing.offsetSeconds ?? 0),
          }),
        },
        body: event.payload,
        redirect: 'manual',
        signal: AbortSignal.any([over.signal, this.#closing.signal]),
      });
      await answer.body?.cancel();
      delivery.attempts.push({ at, status: answer.status, error: null });
      return answer.status >= 200 && answer.status < 300;
    } catch (error) {
      delivery.attempts.push({ at, status: null, error: error instanceof Error ? error.message : 'failed' });
      return false;
    } finally {
      over.abort();
      await timer;
    }
  }
}
