/** A suite of checks against a running server, over HTTP alone: it shares no code with the product. */
export interface SmokeTarget {
  readonly url: string;
  readonly adminSecret: string;
}

export interface SmokeCheck {
  readonly name: string;
  run(smoke: Smoke): Promise<void>;
}

export interface SmokeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; an empty object when it is none. */
  readonly json: Record<string, unknown>;
}

export interface SmokeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly rawBody?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the admin secret goes along; it does unless said otherwise. */
  readonly isOperator?: boolean;
}

/** What the checks of one suite share: the server, and what earlier checks left for later ones. */
export class Smoke {
  readonly target: SmokeTarget;
  readonly kept = new Map<string, string>();
  #aheadMs = 0;

  constructor(target: SmokeTarget) {
    this.target = target;
  }

  async request(path: string, request: SmokeRequest = {}): Promise<SmokeAnswer> {
    const headers = new Headers(request.headers);
    if (request.isOperator !== false) headers.set('x-hero-onboarding-admin-secret', this.target.adminSecret);
    const body = request.rawBody ?? (request.body === undefined ? null : JSON.stringify(request.body));
    if (body !== null && !headers.has('content-type')) headers.set('content-type', 'application/json');
    const method = request.method ?? (body === null ? 'GET' : 'POST');
    const url = path.startsWith('http') ? path : new URL(path, this.target.url);
    const answer = await fetch(url, { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(60_000) });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: parse(text) };
  }

  /** By the server's clock, which in a sandbox may be months ahead; never ahead of it, because a node's clock must not be. */
  now(): Date {
    return new Date(Date.now() + this.#aheadMs);
  }

  /** Looks at the server's clock. */
  async readClock(): Promise<SmokeAnswer> {
    const answer = await this.request('/v1/clock');
    equal(answer.status, 200, 'status of GET /v1/clock');
    // However long the answer was on its way: what comes of it is late, not early.
    this.#aheadMs = Date.parse(String(answer.json['now'])) - Date.now();
    return answer;
  }

  async rpc(method: string, params: unknown, request: SmokeRequest = {}): Promise<SmokeAnswer> {
    return this.request('/rpc', { ...request, body: { jsonrpc: '2.0', id: 1, method, params } });
  }

  keep(name: string, value: unknown): string {
    const text = String(value);
    this.kept.set(name, text);
    return text;
  }

  recall(name: string): string {
    const value = this.kept.get(name);
    if (value === undefined) throw new Error(`an earlier check has not left ${name}: look at that one first`);
    return value;
  }

  /** A wallet of a new user. */
  async openWallet(name: string): Promise<{ walletSid: string; userSid: string }> {
    const answer = await this.request('/v1/users', { body: { display_name: name } });
    equal(answer.status, 201, 'status of POST /v1/users');
    const billing = answer.json['billing'] as { sid: string; user_sid: string };
    return { walletSid: billing.sid, userSid: billing.user_sid };
  }

  async billing(walletSid: string): Promise<Record<string, unknown>> {
    const answer = await this.request(`/v1/billings/${walletSid}`);
    equal(answer.status, 200, 'status of GET /v1/billings/{sid}');
    return answer.json;
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Compares as JSON text, so that a difference can be read. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what} is ${is}, should be ${should}`);
}

export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Asks again until the condition holds; for what a worker does after the answer. */
export async function eventually<T>(what: string, ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  // The slowest tick comes every 15 seconds.
  const deadline = performance.now() + 25_000;
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`${what}: not after 25 seconds, the last answer was ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface SmokeResult {
  readonly suite: string;
  readonly passed: number;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/** Runs the checks in order; a failed one does not stop the others. */
export async function runSuite(
  suite: string,
  checks: readonly SmokeCheck[],
  target: SmokeTarget,
  say: (line: string) => void,
): Promise<SmokeResult> {
  const smoke = new Smoke(target);
  const failed: { name: string; reason: string }[] = [];
  for (const [index, check] of checks.entries()) {
    const title = `${suite} ${index + 1}/${checks.length} ${check.name}`;
    try {
      await smoke.readClock();
      await check.run(smoke);
      say(`ok    ${title}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failed.push({ name: check.name, reason });
      say(`FAIL  ${title}\n      ${reason}`);
    }
  }
  return { suite, passed: checks.length - failed.length, failed };
}
