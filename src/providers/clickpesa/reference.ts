import { assert } from '../../domain/assert.ts';
import { headOf, isReferenceSid, REFERENCE_HEAD_LENGTH, sidOfHead } from '../../domain/reference-sid.ts';

/**
 * ClickPesa takes references of at most 20 letters and digits, each once. Ours are the head of a sid, a letter for what it names, and
 * the attempt: `01ARZ3NDEKTSV4RRFFP0`. The sid follows from the head, so nothing is stored to lead back.
 */
export interface Reference {
  readonly names: 'payment' | 'refund';
  readonly sid: string;
  readonly attempt: number;
}

/** Ten links for one payment; a link is made again only when the answer to the one before was lost. */
export const ATTEMPTS_MAX = 10;

const LETTERS = { payment: 'P', refund: 'R' } as const;
const OURS = new RegExp(`^([0-9A-HJKMNP-TV-Z]{${REFERENCE_HEAD_LENGTH}})([PR])([0-9])$`);

export function referenceOf({ names, sid, attempt }: Reference): string {
  assert(isReferenceSid(sid), 'what ClickPesa names has a sid that its head tells');
  assert(attempt >= 0 && attempt < ATTEMPTS_MAX, 'an attempt is one digit');
  return `${headOf(sid)}${LETTERS[names]}${attempt}`;
}

/** Null: not one of ours. */
export function readReference(text: string): Reference | null {
  const [, head, letter, digit] = OURS.exec(text) ?? [];
  if (head === undefined || digit === undefined) return null;
  return { names: letter === 'P' ? 'payment' : 'refund', sid: sidOfHead(head), attempt: Number(digit) };
}

/**
 * The references under which the payments of an order are found: one of ours has been made anew perhaps, another program's is what it is.
 * Shape: none for what cannot be a payment's, and so must not get into a path.
 */
export function paymentReferences(orderRef: string): readonly string[] {
  const ours = readReference(orderRef);
  if (ours !== null) return ours.names === 'payment' ? referencesUpTo(ours) : [];
  return /^[A-Za-z0-9_-]{1,64}$/.test(orderRef) ? [orderRef] : [];
}

/** Every reference that a payment's customer may have been sent to, the first one first. */
export const referencesUpTo = (last: Reference): string[] =>
  Array.from({ length: last.attempt + 1 }, (_, attempt) => referenceOf({ ...last, attempt }));
