import { createHmac } from 'node:crypto';
import type { SandboxClock, SandboxRandom } from '../ports.ts';
import type { SandboxEvent } from './books.ts';
import { idFrom, unixSeconds } from './ids.ts';
import type { Switches } from './switches.ts';

export interface Delivery {
  readonly eventId: string;
  readonly type: string;
  /** held: waits for the reorder window · lost: never left · given_up: no further attempt */
  state: 'held' | 'waiting' | 'delivered' | 'lost' | 'given_up';
  readonly attempts: {
    readonly deliveryId: string;
    readonly at: string;
    readonly status: number | null;
    readonly error: string | null;
  }[];
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

/** As BTCPay Server does: after 10 seconds, a minute, and then six times after ten minutes. */
export const RETRY_DELAYS_MS: readonly number[] = [10_000, 60_000, ...Array.from({ length: 6 }, () => 600_000)];
const ATTEMPT_MS_MAX = 10_000;
const WEBHOOK_ID = 'SandboxWebhook11111111';

/** A copy of one event on its way, with what the forger asked to be different. */
export interface Signing {
  readonly secret?: string | undefined;
}

/** `BTCPay-Sig`: the MAC of the very bytes that are sent. It holds no time. */
export const signatureOf = (secret: string, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/**
 * Sends events to the webhook endpoint, and disturbs that as the switches say. Every attempt has an id of its own and names the
 * first one. Only no answer, 408, 429 and 5xx are tried again: an endpoint that answers 4xx has lost the event.
 */
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
  send(event: SandboxEvent, signing: Signing = {}, copies = 1 + this.#options.switches.duplicates): void {
    for (let copy = 0; copy < copies; copy += 1) this.#sendCopy(event, signing);
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

  webhooks(): object {
    const { webhookUrl } = this.#options.switches;
    const events = { everything: true, specificEvents: [] };
    const webhook = {
      id: WEBHOOK_ID,
      enabled: true,
      automaticRedelivery: true,
      url: webhookUrl,
      authorizedEvents: events,
    };
    return webhookUrl === null ? [] : [webhook];
  }

  #sendCopy(event: SandboxEvent, signing: Signing): void {
    const { switches, random } = this.#options;
    const delivery: Delivery = { eventId: event.id, type: event.type, state: 'waiting', attempts: [] };
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
  }

  #track(run: Promise<void>): void {
    const tracked = run.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #run(delivery: Delivery, event: SandboxEvent, signing: Signing): Promise<void> {
    const { clock, switches, retryDelaysMs } = this.#options;
    const { signal } = this.#closing;
    delivery.state = 'waiting';
    for (const [attempt, waitMs] of [switches.delayMs, ...retryDelaysMs].entries()) {
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      const outcome = await this.#attempt(delivery, { event, signing, isRedelivery: attempt > 0 });
      if (outcome === 'taken') {
        delivery.state = 'delivered';
        this.#options.onDelivered(event);
        return;
      }
      if (outcome === 'refused') break;
    }
    delivery.state = 'given_up';
  }

  async #attempt(
    delivery: Delivery,
    { event, signing, isRedelivery }: { event: SandboxEvent; signing: Signing; isRedelivery: boolean },
  ): Promise<'taken' | 'refused' | 'again'> {
    const { clock, random, switches, fetch } = this.#options;
    if (switches.webhookUrl === null) return 'again';
    const now = clock.now();
    const deliveryId = isRedelivery ? idFrom(random, 22) : event.id;
    const body = JSON.stringify({
      ...event.facts,
      deliveryId,
      webhookId: WEBHOOK_ID,
      originalDeliveryId: event.id,
      isRedelivery,
      type: event.type,
      timestamp: unixSeconds(now),
    });
    const over = new AbortController();
    const timer = clock.sleep(ATTEMPT_MS_MAX, over.signal).then(() => over.abort());
    const record = (status: number | null, error: string | null): void => {
      delivery.attempts.push({ deliveryId, at: now.toISOString(), status, error });
    };
    try {
      const answer = await fetch(switches.webhookUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'BTCPayServer/2.4.1 (sandbox)',
          'btcpay-sig': signatureOf(signing.secret ?? switches.webhookSecret, body),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([over.signal, this.#closing.signal]),
      });
      await answer.body?.cancel();
      record(answer.status, null);
      if (answer.status >= 200 && answer.status < 300) return 'taken';
      return answer.status >= 500 || answer.status === 429 || answer.status === 408 ? 'again' : 'refused';
    } catch (error) {
      record(null, error instanceof Error ? error.message : 'failed');
      return 'again';
    } finally {
      over.abort();
      await timer;
    }
  }
}
