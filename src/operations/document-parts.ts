import { needsStepUp } from '../domain/identity/role.ts';
import { REFUSALS } from '../domain/refusal.ts';
import type { RefusalCode } from '../domain/refusal.ts';
import { rightOf } from './admission.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Operation } from './operation.ts';

/** What both API documents say of themselves. */
export const API_TITLE = 'hero-onboarding';
export const API_DESCRIPTION =
  'A prepaid wallet: put money in, take usage out, see every cent. Amounts are US dollars as decimal text, ' +
  '*_cents are integers. Instants are ISO 8601 in UTC. Lists answer {"items", "next_cursor"}.';

/** What the transport and the executor may refuse whatever the operation is, in the order in which they look. */
export function refusalsOf(operation: Operation): RefusalCode[] {
  const isWrite = operation.http.method !== 'get';
  const everywhere: RefusalCode[] = ['invalid_request', 'unauthenticated', 'rate_limited', 'internal', 'unavailable'];
  const access: RefusalCode[] = operation.access === 'anyone' ? [] : ['forbidden'];
  if (operation.access !== 'anyone' && operation.access !== 'node' && needsStepUp(rightOf(operation)))
    access.push('reauth_required');
  const written: RefusalCode[] = isWrite ? ['csrf_failed', 'body_too_large', 'unsupported_media_type'] : [];
  const keyed: RefusalCode[] =
    operation.idempotency === 'none' ? [] : ['idempotency_in_progress', 'idempotency_key_reused'];
  const all = new Set([...everywhere, ...access, ...written, ...keyed, ...operation.refusals]);
  return (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => all.has(code));
}

/** RFC 9457, and what we add to it. */
export const PROBLEM_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'What went wrong (RFC 9457). Programs read `code`; people read `detail`.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence for the caller.' },
    code: { type: 'string', enum: Object.keys(REFUSALS) },
    request_id: { type: 'string', description: 'Names this request in the log.' },
    errors: {
      type: 'array',
      description: 'What is wrong with the input, place by place.',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'A JSON pointer fragment, for example #/amount.' },
          detail: { type: 'string' },
        },
      },
    },
    details: { type: 'object', description: 'Facts a program can act on.', additionalProperties: true },
  },
};
