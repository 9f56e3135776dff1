import { closeSync, fdatasync, openSync, readFileSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

export type Noun = 'debit' | 'adjust' | 'reserve' | 'capture' | 'release' | 'top_up' | 'credit' | 'usage';

/** Written before anything is sent. Amounts are micro-dollars in decimal digits. */
export interface Intent {
  readonly entry: 'intent';
  /** Names the intent everywhere: idempotency key, description, reason. */
  readonly key: string;
  readonly noun: Noun;
  readonly wallet: string;
  readonly micros: string;
  /** The hold or the payment that it is about, when there is one already. */
  readonly about: string | null;
}

/** Written when the client knows, or has given up. */
export interface Answer {
  readonly entry: 'answer';
  readonly key: string;
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  readonly status: number;
  /** The refusal's code; null when it was none. */
  readonly code: string | null;
  /** What the answer named: a hold, a payment; null when nothing. */
  readonly sid: string | null;
}

const sync = promisify(fdatasync);

/**
 * The witness: what the clients meant and what they were told, on the disk before they go on. Lines of many clients share
 * one fsync.
 */
export class Journal {
  readonly #file: string;
  readonly #descriptor: number;
  #lines: string[] = [];
  #flushing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = openSync(file, 'a', 0o600);
  }

  /** Resolves once it is on the disk. */
  write(record: Intent | Answer): Promise<void> {
    this.#lines.push(`${JSON.stringify(record)}\n`);
    this.#next ??= this.#flushAfter(this.#flushing);
    return this.#next;
  }

  async #flushAfter(before: Promise<void> | null): Promise<void> {
    await before;
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#flushing = this.#next;
    this.#next = null;
    writeSync(this.#descriptor, lines);
    await sync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** From the file, as somebody else would read it. */
  read(): { readonly intents: readonly Intent[]; readonly answers: ReadonlyMap<string, Answer> } {
    const records = readFileSync(this.#file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Intent | Answer);
    const intents = records.filter((record) => record.entry === 'intent');
    const answers = records.filter((record) => record.entry === 'answer');
    return { intents, answers: new Map(answers.map((answer) => [answer.key, answer])) };
  }
}
