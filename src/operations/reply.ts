import { refuse, REFUSALS } from '../domain/refusal.ts';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import { ProviderFailure } from '../providers/provider.ts';
import { DatabaseUnavailable } from '../store/database-unavailable.ts';
import type { StoredAnswer } from '../store/idempotency.ts';
import type { House } from './house.ts';
import { problemOf } from './problem.ts';

/** What a caller is answered, before a transport dresses it. */
export interface Reply {
  readonly status: number;
  /** JSON text; `application/problem+json` from status 400 on. Empty for 204. */
  readonly body: string;
  /** The first answer to the key again, byte for byte. */
  readonly replayed: boolean;
  readonly retryAfterSeconds?: number;
  /** Set for refusals. */
  readonly code?: RefusalCode;
}

export function storedReply(answer: StoredAnswer, replayed: boolean): Reply {
  const reply = { status: answer.status, body: answer.body, replayed };
  if (answer.status < 400) return reply;
  const { code } = JSON.parse(answer.body) as { code: RefusalCode };
  return { ...reply, code };
}

export function refusalReply(refusal: Refusal, requestId: string): Reply {
  const { retryAfterSeconds } = refusal;
  return {
    status: REFUSALS[refusal.code].status,
    body: JSON.stringify(problemOf(refusal, requestId)),
    replayed: false,
    code: refusal.code,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** The answer for what was thrown: the outside's failures by name, everything else as ours, with the facts in the log only. */
export function failureReply(house: House, what: string, requestId: string, error: unknown): Reply {
  const { log } = house.ports;
  if (error instanceof DatabaseUnavailable) {
    log.warn(
      { request_id: requestId, operation: what, outcome: error.outcome, error },
      'the database is not available',
    );
    return refusalReply(unavailable(error), requestId);
  }
  if (error instanceof ProviderFailure) {
    log.warn(
      { request_id: requestId, operation: what, kind: error.kind, outcome: error.outcome, error },
      'a provider failed',
    );
    return refusalReply(providerRefusal(error), requestId);
  }
  log.error({ request_id: requestId, operation: what, error }, 'an operation broke');
  const message = `Something broke on our side. Give ${requestId} to the operator; a call with an Idempotency-Key can be sent again.`;
  return refusalReply(refuse('internal', message), requestId);
}

function unavailable(error: DatabaseUnavailable): Refusal {
  const message =
    error.outcome === 'unknown'
      ? 'The database did not confirm. Send the request again with the same Idempotency-Key: it happens once.'
      : 'The database is not available. Nothing was done; send the request again.';
  return refuse('unavailable', message, { retryAfterSeconds: error.retryAfterSeconds });
}

function providerRefusal(error: ProviderFailure): Refusal {
  const again = 'Nothing is lost: send the request again with the same Idempotency-Key.';
  if (error.kind === 'timeout') {
    return refuse('provider_timeout', `The payment provider did not answer in time. ${again}`, {
      retryAfterSeconds: 5,
    });
  }
  if (error.kind === 'unavailable') {
    return refuse('unavailable', `The payment provider cannot take orders at the moment. ${again}`, {
      retryAfterSeconds: 60,
    });
  }
  return refuse('provider_error', `The payment provider refused or failed. ${again}`, { retryAfterSeconds: 5 });
}
