import { refuse, type Refusal } from '../../domain/refusal.ts';

/** One field of a usage record is wrong. */
export const invalidRecord = (field: string, detail: string): Refusal =>
  refuse('invalid_request', 'The record is not valid.', { errors: [{ pointer: `#/${field}`, detail }] });
