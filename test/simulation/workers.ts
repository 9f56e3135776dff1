import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { keepOn, processorsHere } from './processor.ts';
import type { SeedOptions, SeedReport } from './run-seed.ts';

export interface Job {
  readonly id: number;
  readonly options: SeedOptions;
  /** The seed is lived twice, and must be the same life. */
  readonly isTwice: boolean;
}

export type Answer =
  | { readonly id: number; readonly report: SeedReport }
  | { readonly id: number; readonly error: string };

/** Longer than any seed takes on a busy machine; then it hangs, and that is a finding too. */
const SEED_WITHIN_MS = 300_000;

interface Waiting {
  readonly resolve: (report: SeedReport) => void;
  readonly reject: (error: Error) => void;
}

/** One worker process, begun with its first seed and again after it died. */
export class Worker {
  readonly #mutant: string | null;
  readonly #processor: number | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | null = null;
  #jobs = 0;

  /** `index`: of those that work at the same time; each has a processor of its own, as far as there are enough. */
  constructor(index: number, mutant: string | null = null) {
    const processors = processorsHere();
    this.#processor = processors[index % processors.length];
    this.#mutant = mutant;
  }

  /** Rejects when the run itself fails: an error in the simulator, a dead process, a seed that does not end. */
  async run(options: SeedOptions, isTwice = false): Promise<SeedReport> {
    this.#child ??= this.#begin();
    const child = this.#child;
    const id = (this.#jobs += 1);
    const late = setTimeout(() => child.kill('SIGKILL'), SEED_WITHIN_MS);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        child.send({ id, options: { ...options, processor: this.#processor }, isTwice } satisfies Job);
      });
    } finally {
      clearTimeout(late);
      this.#waiting.delete(id);
    }
  }

  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #begin(): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...process.env };
    delete env['MUTANT'];
    if (this.#mutant !== null) env['MUTANT'] = this.#mutant;
    const child = fork(path.join(import.meta.dirname, 'worker.ts'), { serialization: 'advanced', env });
    if (this.#processor !== undefined && child.pid !== undefined) keepOn(this.#processor, child.pid);
    child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      if ('report' in answer) waiting?.resolve(answer.report);
      else waiting?.reject(new Error(answer.error));
    });
    child.on('error', () => undefined);
    child.on('exit', (code, signal) => {
      if (this.#child === child) this.#child = null;
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`the worker ended with ${signal ?? `code ${code}`}`));
      }
    });
    return child;
  }
}
