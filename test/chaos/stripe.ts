import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { inherited } from './server-process.ts';
import { STRIPE_KEY, WEBHOOK_SECRET } from './server.ts';
import { send, textIn } from './wire.ts';

const PROGRAM = path.resolve(import.meta.dirname, '..', '..', 'sandbox', 'stripe', 'main.ts');
const ANSWERS_WITHIN_MS = 10_000;

/** One of ours that a customer paid for, as the provider tells it. */
export interface PaidSession {
  readonly session: string;
  readonly paymentIntent: string;
  readonly cents: number;
}

/** The provider, in a process and with a journal of its own. Nobody kills it: it is the other side. */
export class Stripe {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<Stripe> {
    const given = [
      '--secret-key',
      STRIPE_KEY,
      '--webhook-url',
      'http://127.0.0.1:9',
      '--webhook-secret',
      WEBHOOK_SECRET,
    ];
    const child = spawn(process.execPath, [PROGRAM, ...given, '--until-stdin-ends'], {
      env: inherited(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.on('error', () => undefined);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const url = textIn(line, 'url');
    if (url === null) throw new Error(`the Stripe simulator said ${line}`);
    return new Stripe(child, url);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** As the customer does on the checkout page. */
  async pay(session: string): Promise<boolean> {
    return (await this.#control('POST', `sessions/${session}/complete`, {})).status === 200;
  }

  async deliverTo(serverUrl: string): Promise<void> {
    await this.#control('POST', 'switches', { webhookUrl: `${serverUrl}/webhooks/stripe` });
  }

  /** From its own journal: who paid what. */
  async paid(): Promise<readonly PaidSession[]> {
    const { text } = await this.#control('GET', 'journal');
    const { sessions } = JSON.parse(text) as { sessions: readonly Record<string, unknown>[] };
    return sessions
      .filter((session) => session['payment_status'] === 'paid')
      .map((session) => ({
        session: String(session['id']),
        paymentIntent: String(session['payment_intent']),
        cents: Number(session['amount_total']),
      }));
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await ended;
  }

  #control(method: 'GET' | 'POST', route: string, body?: object) {
    const url = `${this.url}/_sandbox/${route}`;
    return send({ method, url, ...(body === undefined ? {} : { body }), withinMs: ANSWERS_WITHIN_MS });
  }
}
