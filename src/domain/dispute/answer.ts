import type { DisputeState } from './state.ts';

export const ANSWER_KINDS = ['accept', 'evidence'] as const;
/** accept: the loss is accepted, for good · evidence: the bank shall see this and decide */
export type AnswerKind = (typeof ANSWER_KINDS)[number];

export const ANSWER_STATES = ['requested', 'sent', 'refused'] as const;
/** requested: asked for until the provider has it · sent: the provider has it · refused: it will not take it */
export type AnswerState = (typeof ANSWER_STATES)[number];

/** What of a dispute decides whether it can be answered. */
export interface Answerable {
  readonly state: DisputeState;
  /** Until when the provider takes evidence; null: no more. */
  readonly evidenceDueBy: Date | null;
}

/** Why a dispute can be answered no more, as a sentence; null: it can. A deadline that has passed is the provider's to judge. */
export function whyUnanswerable({ state, evidenceDueBy }: Answerable, isUnderWay: boolean): string | null {
  if (state === 'won' || state === 'lost') return `The dispute is ${state}: there is nothing left to answer.`;
  if (isUnderWay) return 'An answer is on its way already.';
  return evidenceDueBy === null ? 'The provider takes no answer to this dispute any more.' : null;
}
