import type { Weather } from './faults.ts';
import type { Chance } from './random.ts';
import { outside, type Life, type Scheduler } from './scheduler.ts';

interface Delivery {
  readonly body: Uint8Array;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface ProviderNetworkOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly chance: Chance;
  /** The provider's API, which always works. */
  readonly api: typeof fetch;
  /** The house's webhook route. */
  readonly receive: (delivery: Delivery) => Promise<{ readonly status: number }>;
  readonly signedBy: string;
}

/** The wires between the house and the provider, both ways, and what happens to what is on them. */
export class ProviderNetwork {
  /** Webhooks that the house has taken with 200: what it may never lose. By the provider's event id. */
  readonly taken = new Set<string>();
  readonly #options: ProviderNetworkOptions;
  readonly #life = outside('wire');
  /** By payment: whether its events are lost on the way. */
  readonly #never = new Map<string, boolean>();
  #isCalm = false;

  constructor(options: ProviderNetworkOptions) {
    this.#options = options;
  }

  calm(): void {
    this.#isCalm = true;
  }

  /** A request of the house to the provider. */
  async call(life: Life, input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const { scheduler, weather, chance, api } = this.#options;
    const isCreate = init.method === 'POST';
    await scheduler.park(life, chance.between(20, 300), 'to provider');
    if (weather.strikes('provider_timeout_before')) return await this.#lost(life, init.signal);
    if (weather.strikes('provider_rate_limited')) return problem(429, 'rate_limit');
    const answer = await api(input, init);
    const text = await answer.text();
    scheduler.streams();
    await scheduler.park(life, chance.between(20, 300), 'from provider');
    if (weather.strikes('provider_timeout_after')) return await this.#lost(life, init.signal);
    if (weather.strikes('provider_5xx_after')) return problem(500, 'api_error');
    scheduler.streams();
    if (!isCreate && weather.strikes('provider_wrong_object')) {
      return new Response('{"id":"cs_test_somebody_elses","object":"checkout.session"}', { status: 200 });
    }
    return new Response(text, { status: answer.status, headers: answer.headers });
  }

  /** A request of the provider to the house's webhook route. */
  async deliver(init: RequestInit): Promise<Response> {
    const { scheduler, weather, chance } = this.#options;
    const headers = new Map([...new Headers(init.headers)].map(([name, value]) => [name, [value]]));
    const body = Buffer.from(typeof init.body === 'string' ? init.body : '');
    if (weather.strikes('webhook_delayed'))
      await scheduler.park(this.#life, chance.between(1_000, 3 * 86_400_000), 'delayed');
    if (weather.strikes('webhook_reordered')) await scheduler.park(this.#life, chance.between(10, 20_000), 'reordered');
    await scheduler.park(this.#life, chance.between(10, 400), 'webhook');
    if (this.#isNever(String(body)) || weather.strikes('webhook_dropped')) return new Response(null, { status: 504 });
    if (weather.strikes('webhook_duplicated')) {
      const copies = chance.is(0.1) ? 50 : chance.between(1, 4);
      for (let copy = 0; copy < copies; copy += 1) void this.#copy({ body, headers });
    }
    return await this.#hand({ body, headers });
  }

  /** Of some payments no event ever arrives, however often the provider tries. */
  #isNever(body: string): boolean {
    const payment = /"payment_sid": "([0-9A-Z]{26})"/.exec(body)?.[1];
    if (payment === undefined || this.#options.weather.isOver) return this.#never.get(payment ?? '') === true;
    const isNever = this.#never.get(payment) ?? this.#options.weather.strikes('webhook_never');
    this.#never.set(payment, isNever);
    return isNever;
  }

  async #copy(delivery: Delivery): Promise<void> {
    const { scheduler, chance } = this.#options;
    await scheduler.park(this.#life, chance.between(10, 60_000), 'copy');
    await this.#hand(delivery);
  }

  async #hand(delivery: Delivery): Promise<Response> {
    const { scheduler, receive } = this.#options;
    const over = new AbortController();
    const late = scheduler.sleep(this.#life, 10_000, over.signal).then(() => ({ status: 504 }));
    const answer = await Promise.race([receive(delivery), late]);
    over.abort('answered');
    if (answer.status === 200) this.taken.add(idOf(delivery.body));
    return new Response(null, { status: answer.status });
  }

  /** No answer until the caller's patience ends, or ours. */
  async #lost(life: Life, signal: AbortSignal | null | undefined): Promise<never> {
    const { scheduler, chance } = this.#options;
    if (!this.#isCalm) await scheduler.sleep(life, chance.between(1_000, 30_000), signal ?? undefined);
    throw new TypeError('fetch failed');
  }
}

const problem = (status: number, type: string): Response =>
  new Response(JSON.stringify({ error: { type, message: 'weather' } }), { status });

function idOf(body: Uint8Array): string {
  const event: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  return typeof event === 'object' && event !== null && 'id' in event ? String(event.id) : '';
}
