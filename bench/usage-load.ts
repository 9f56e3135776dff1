import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { WALLETS } from './server.ts';
import { Latencies } from './spread.ts';

/** One record that every contestant is sent: an LLM call of a tenth of a cent, with the provider's cost. */
export const COST = '0.0012345678';
const NUMBER_DIGITS = 12;
/** Of so many answers one is parsed as a whole and compared with what was sent. */
const PARSED_OF = 64;

/** How requests are sent, and to whom. */
export interface LoadShape {
  readonly ports: readonly number[];
  /** Of the nodes that report, in turn; none for a service that knows no nodes. */
  readonly keys: readonly string[];
  readonly recordsPerRequest: number;
  readonly callers: number;
  readonly seconds: number;
  /** Not measured: until caches are warm and code is compiled. */
  readonly warmSeconds: number;
  /** As many records are drawn beforehand. */
  readonly records: number;
}

export interface Load {
  /** In the measured time. */
  readonly records: number;
  readonly elapsedSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Since the beginning: what the database must have. */
  readonly recordsInAll: number;
}

/**
 * Sends requests as fast as they are answered, one at a time for each caller, over connections that stay open.
 *
 * All requests are drawn as bytes before the first is sent, and an answer is judged by its bytes: status, length, and how many records
 * it says were applied. So the callers take little of the processors that they share with what is measured. `measured` is called at
 * the beginning and the end of the measured time.
 */
export async function runLoad(shape: LoadShape, measured: (edge: 'begin' | 'end') => void): Promise<Load> {
  const stock = drawStock(shape);
  const latencies = new Latencies();
  const state = { next: 0, records: 0, recordsInAll: 0, isOver: false };
  const take = (): Buffer => {
    const request = stock[state.next];
    if (request === undefined) throw new Error(`all ${stock.length} requests were sent before the time was over`);
    state.next += 1;
    return request;
  };
  const call = async (number: number): Promise<void> => {
    const caller = await Caller.open(shape.ports[number % shape.ports.length] ?? 0);
    while (!state.isOver) {
      const request = take();
      const startedMs = performance.now();
      const answer = await caller.ask(request);
      latencies.add(performance.now() - startedMs);
      judge(answer, request, { shape, isParsed: state.next % PARSED_OF === 0 });
      state.records += shape.recordsPerRequest;
      state.recordsInAll += shape.recordsPerRequest;
    }
    caller.close();
  };
  const working = Promise.all(Array.from({ length: shape.callers }, (_, number) => call(number)));
  await Promise.race([working, pause(shape.warmSeconds * 1_000)]);
  latencies.clear();
  state.records = 0;
  measured('begin');
  const startedMs = performance.now();
  await Promise.race([working, pause(shape.seconds * 1_000)]);
  const [records, elapsedSeconds] = [state.records, (performance.now() - startedMs) / 1_000];
  measured('end');
  const { p50Ms, p99Ms } = latencies.percentiles();
  state.isOver = true;
  await working;
  return { records, elapsedSeconds, p50Ms, p99Ms, recordsInAll: state.recordsInAll };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function drawStock({ keys, recordsPerRequest, records }: LoadShape): Buffer[] {
  const run = `${process.pid}-${Date.now()}`;
  const occurredAt = new Date().toISOString();
  return Array.from({ length: Math.ceil(records / recordsPerRequest) }, (_, request) => {
    const first = request * recordsPerRequest;
    const drawn = Array.from({ length: recordsPerRequest }, (__, at) => drawRecord(run, first + at, occurredAt));
    const body = Buffer.from(JSON.stringify(recordsPerRequest === 1 ? drawn[0] : { records: drawn }));
    const key = keys[request % Math.max(1, keys.length)];
    const head = [
      `POST ${recordsPerRequest === 1 ? '/record_usage' : '/v1/usage'} HTTP/1.1`,
      'host: 127.0.0.1',
      'content-type: application/json',
      `content-length: ${body.byteLength}`,
      ...(key === undefined ? [] : [`authorization: Bearer ${key}`]),
    ];
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
  });
}

/** By the users in turn, in an order that is not that of their rows. */
const drawRecord = (run: string, number: number, occurredAt: string): Record<string, unknown> => ({
  idempotency_key: `${run}-${String(number).padStart(NUMBER_DIGITS, '0')}`,
  user_sid: String(1 + ((number * 7_919) % WALLETS)).padStart(26, '0'),
  applies_to: 'llm',
  resource_kind: 'model/x',
  cost: COST,
  provider: 'openrouter',
  tokens: { input: 1_204, output: 311 },
  occurred_at: occurredAt,
  description: 'LLM call',
});

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** One connection with one request on its way at a time. Reads no more of HTTP than an answer with a length. */
class Caller {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #missing = 0;
  #status = 0;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed before the answer')));
  }

  static open(port: number): Promise<Caller> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Caller(socket)));
    });
  }

  ask(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let rest = chunk;
    if (this.#status === 0) {
      const end = chunk.indexOf('\r\n\r\n');
      const head = chunk.toString('latin1', 0, Math.max(end, 0));
      const length = /\r\ncontent-length: ([0-9]+)/i.exec(head)?.[1];
      if (end < 0 || length === undefined)
        return this.#waiting?.reject(new Error(`an answer without its length: ${chunk.toString('latin1', 0, 500)}`));
      this.#status = Number(head.slice(9, 12));
      this.#missing = Number(length);
      rest = chunk.subarray(end + 4);
    }
    this.#chunks.push(rest);
    this.#missing -= rest.length;
    if (this.#missing > 0) return;
    const body = this.#chunks.length === 1 ? rest : Buffer.concat(this.#chunks);
    const answer = { status: this.#status, body };
    this.#chunks = [];
    this.#status = 0;
    this.#waiting?.resolve(answer);
  }
}

const APPLIED = Buffer.from('"outcome":"applied"');

/** Throws for an answer that does not say of each record that it was applied. */
function judge(
  { status, body }: Answer,
  request: Buffer,
  { shape, isParsed }: { readonly shape: LoadShape; readonly isParsed: boolean },
): void {
  let applied = 0;
  for (let at = body.indexOf(APPLIED); at >= 0; at = body.indexOf(APPLIED, at + APPLIED.length)) applied += 1;
  if (status !== 200 || applied !== shape.recordsPerRequest)
    throw new Error(`answered ${status} ${body.toString('utf8', 0, 500)}`);
  if (!isParsed || shape.keys.length === 0) return;
  const sent: unknown = JSON.parse(request.toString('utf8', request.indexOf('\r\n\r\n') + 4));
  const [asked, answered] = [keysOf(sent, 'records'), keysOf(JSON.parse(body.toString()), 'items')];
  if (asked !== answered) throw new Error('the answers are not those of the records, in their order');
}

function keysOf(value: unknown, field: 'records' | 'items'): string {
  const one = value as { readonly idempotency_key: string };
  const list = (value as Partial<Record<typeof field, readonly (typeof one)[]>>)[field] ?? [one];
  return list.map((record) => record.idempotency_key).join(' ');
}
