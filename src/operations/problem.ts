import { REFUSALS } from '../domain/refusal.ts';
import type { InputError, Refusal, RefusalCode } from '../domain/refusal.ts';

/** The body of every error over HTTP: RFC 9457, with our stable `code`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: RefusalCode;
  readonly request_id: string;
  readonly errors?: readonly InputError[];
  readonly details?: Refusal['details'];
}

/** Where the codes are explained; served by every house, so that the link works offline. */
export const PROBLEM_PAGE = '/docs/errors';

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { status, title } = REFUSALS[refusal.code];
  return {
    type: `${PROBLEM_PAGE}#${refusal.code}`,
    title,
    status,
    detail: refusal.message,
    code: refusal.code,
    request_id: requestId,
    ...(refusal.errors ? { errors: refusal.errors } : {}),
    ...(refusal.details ? { details: refusal.details } : {}),
  };
}
