import type { SandboxClock, SandboxRandom } from './ports.ts';

export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  /** held: waits for the reorder window · lost: never left · given_up: every attempt failed */
  state: 'held' | 'waiting' | 'delivered' | 'lost' | 'given_up';
  readonly attempts: { readonly at: string; readonly status: number | null; readonly error: string | null }[];
}

export interface Deliverable {
  readonly id: string;
  readonly type: string;
}

export interface DeliverySwitches {
  webhookUrl: string | null;
  duplicates: number;
  delayMs: number;
  lossRate: number;
  reorderWindow: number;
}

export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DeliveriesOptions<Event extends Deliverable, Signing> {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly switches: DeliverySwitches;
  readonly fetch: typeof fetch;
  /** Waits before the second and each further attempt. */
  readonly retryDelaysMs: readonly number[];
  /** One attempt as it leaves: signed at its own time, as whoever forges it asks. */
  readonly toRequest: (event: Event, signing: Signing | undefined, now: Date) => WebhookRequest;
  /** Told when an endpoint has taken an event. */
  readonly onDelivered: (event: Event) => void;
}

/** Providers retry for days; a simulation has less time. */
export const RETRY_DELAYS_MS = [1_000, 5_000, 15_000, 60_000, 300_000] as const;
const ATTEMPT_MS_MAX = 10_000;

/** Sends events to the webhook endpoint: signed, retried, and disturbed as the switches say. */
export class Deliveries<Event extends Deliverable, Signing = undefined> {
  readonly all: Delivery[] = [];
  readonly #options: DeliveriesOptions<Event, Signing>;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #held: { readonly delivery: Delivery; readonly event: Event; readonly signing: Signing | undefined }[] = [];

  constructor(options: DeliveriesOptions<Event, Signing>) {
    this.#options = options;
  }

  /** Sends an event once and `duplicates` times more. Returns at once; `settled` waits for the end. */
  send(event: Event, signing?: Signing, copies = 1 + this.#options.switches.duplicates): Delivery[] {
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

  #sendCopy(event: Event, signing: Signing | undefined): Delivery {
    const { switches, random } = this.#options;
    const id = `delivery_${Buffer.from(random.bytes(12)).toString('hex')}`;
    const delivery: Delivery = { id, eventId: event.id, type: event.type, state: 'waiting', attempts: [] };
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

  async #run(delivery: Delivery, event: Event, signing: Signing | undefined): Promise<void> {
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

  async #attempt(delivery: Delivery, event: Event, signing: Signing | undefined): Promise<boolean> {
    const { clock, switches, fetch, toRequest } = this.#options;
    if (switches.webhookUrl === null) return false;
    const now = clock.now();
    const at = now.toISOString();
    const over = new AbortController();
    const timer = clock.sleep(ATTEMPT_MS_MAX, over.signal).then(() => over.abort());
    try {
      const answer = await fetch(switches.webhookUrl, {
        method: 'POST',
        ...toRequest(event, signing, now),
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
