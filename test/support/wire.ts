import type { CrashPoints } from '../../src/ports/ports.ts';
import type { VirtualClock } from './ports.ts';

/** What goes wrong with one exchange. `before`: nothing was done; `after`: it was done, and only the answer suffers. */
export const WIRE_FAULTS = [
  'cut_before',
  'cut_after',
  'silent_before',
  'silent_after',
  'error_before',
  'error_after',
  'slow_down',
  'unauthorized',
  'forbidden',
  'html',
  'empty',
  'truncated',
  /** The right shape, and of something else. */
  'another',
] as const;
export type WireFault = (typeof WIRE_FAULTS)[number];

/** Longer than any deadline of a call to a provider. */
const SILENCE_MS = 20_001;

/**
 * The network between processes of the house and a simulator that is called in-process: a crash point on either side of each exchange,
 * and faults at the exchanges that a test names.
 */
export class Wire {
  /** What was asked since the last `calm`, as `GET /payouts`: ids are left out. */
  readonly asked: string[] = [];
  readonly #provider: typeof fetch;
  readonly #clock: VirtualClock;
  #faultAt: (place: number) => WireFault | null = () => null;
  #gate: (label: string) => Promise<void> = () => Promise.resolve();

  constructor(provider: typeof fetch, clock: VirtualClock) {
    this.#provider = provider;
    this.#clock = clock;
  }

  /** What happens to each exchange, counted from now; null: nothing. */
  break(faultAt: (place: number) => WireFault | null): void {
    this.asked.length = 0;
    this.#faultAt = faultAt;
  }

  calm(): void {
    this.break(() => null);
  }

  /** From here on each exchange waits, before anything is done, for what `gate` answers. */
  hold(gate: (label: string) => Promise<void>): void {
    this.#gate = gate;
  }

  /** One process's end of it. */
  of(crash: CrashPoints): typeof fetch {
    return async (input, init) => {
      const label = labelOf(input, init);
      await crash.reach(`wire:before:${label}`);
      await this.#gate(label);
      const answer = await this.#exchange(label, input, init);
      await crash.reach(`wire:after:${label}`);
      return answer;
    };
  }

  async #exchange(label: string, input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const fault = this.#faultAt(this.asked.push(label) - 1);
    if (fault === null) return await this.#provider(input, init);
    if (fault.endsWith('_before')) return await this.#fail(fault, init);
    if (fault === 'slow_down') return json(429, { message: 'Slow down' });
    if (fault === 'unauthorized') return json(401, { message: 'Unauthorized' });
    if (fault === 'forbidden') return json(403, { message: 'Forbidden' });
    const answer = await this.#provider(input, init);
    if (fault.endsWith('_after')) return await this.#fail(fault, init);
    if (fault === 'html') return new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } });
    if (fault === 'empty') return json(200, {});
    const text = await answer.text();
    const spoilt =
      fault === 'another' ? text.replaceAll(NAMES, '"$1":"ANOTHEROBJECT1"') : text.slice(0, text.length / 2);
    return new Response(spoilt, { status: answer.status, headers: JSON_TYPE });
  }

  async #fail(fault: WireFault, init?: RequestInit): Promise<Response> {
    if (fault.startsWith('error')) return json(500, { message: 'Something failed' });
    // Nobody answers until whoever asked has given up.
    if (fault.startsWith('silent')) await this.#clock.advance(SILENCE_MS);
    throw init?.signal?.reason ?? new TypeError('fetch failed');
  }
}

/** What tells one thing of a provider from another. */
const NAMES = /"(id|orderReference|name)":"[^"]*"/g;
const JSON_TYPE = { 'content-type': 'application/json' };
const json = (status: number, body: object): Response =>
  new Response(JSON.stringify(body), { status, headers: JSON_TYPE });

/** Ids are longer than any word of a path, or have a digit. */
function labelOf(input: string | URL | Request, init?: RequestInit): string {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const words = pathname.split('/').filter((word) => word !== '' && !/[0-9A-Z]/.test(word));
  return `${init?.method ?? 'GET'} /${words.join('/')}`;
}
