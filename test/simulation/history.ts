/** What callers asked and were told, and nothing else: the oracle's half of the truth. */
export interface Attempt {
  readonly startStep: number;
  /** Null: no answer came. */
  endStep: number | null;
  status: number | null;
  body: string | null;
  isReplay: boolean;
}

/** Who asked. `foreign`: a signed-in user, for what belongs to another one. */
export type Asker = 'operator' | 'user' | 'foreign' | 'anonymous' | 'node';

export interface Intent {
  readonly number: number;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly asker: Asker;
  /** The user who asked; null for operators and nobody. */
  readonly userSid: string | null;
  /** Null for calls without a key. */
  readonly key: string | null;
  readonly walletSid: string | null;
  /** For a page that follows another: the seq of the line above it. */
  readonly afterSeq?: number;
  /** For what a node tells: which. */
  readonly nodeSid?: string;
  readonly attempts: Attempt[];
}

/** Found by the oracle: a promise that did not hold. */
export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

/** An answer that ends an intent: the caller need not ask again. */
export const isFinal = (status: number): boolean => status < 500 && status !== 409 && status !== 429;

const OF_THE_STATE = /"(state_conflict|quote_changed|no_plan|quota_reached|pool_empty)"/;

/** 409 is final when it speaks of the state, and not when it says that the first call still runs. */
export function isFinalAnswer(attempt: Attempt): boolean {
  if (attempt.status === null) return false;
  return isFinal(attempt.status) || (attempt.status === 409 && OF_THE_STATE.test(attempt.body ?? ''));
}

export function describe(intent: Intent): string {
  const answers = intent.attempts.map(
    ({ startStep, endStep, status }) => `${startStep}–${endStep ?? '?'}: ${status ?? 'none'}`,
  );
  return `intent ${intent.number} ${intent.operation} ${JSON.stringify(intent.input)} of ${intent.asker} answered [${answers.join('; ')}]`;
}

export class History {
  readonly intents: Intent[] = [];

  add(intent: Omit<Intent, 'number' | 'attempts'>): Intent {
    const added = { ...intent, number: this.intents.length, attempts: [] };
    this.intents.push(added);
    return added;
  }
}
