import { assertNever } from '../domain/assert.ts';
import type { Ports } from '../ports/ports.ts';
import { error, warning, type Check, type Finding } from './check.ts';

export interface NetworkFacts {
  /** What an unsigned POST to the webhook's public address came to; null when no provider is configured. */
  readonly webhook: 'refused_as_unsigned' | 'not_configured' | 'other_answer' | 'redirected' | 'no_answer' | null;
}

export const NETWORK_CHECKS: readonly Check<NetworkFacts>[] = [
  {
    id: 11,
    title: 'the webhook can be reached through the public address',
    needs: 'network',
    isForStart: false,
    why: 'If the provider’s news do not arrive, customers wait for the next poll to see their money.',
    remedy:
      'Let the proxy pass POST /webhooks/… unchanged, without redirect, login page or bot check. While the server is down this cannot be told.',
    judge: ({ webhook }) => judgeWebhook(webhook),
  },
];

function judgeWebhook(webhook: NetworkFacts['webhook']): readonly Finding[] {
  switch (webhook) {
    case null:
    case 'refused_as_unsigned':
      return [];
    case 'no_answer':
      return [warning('Nothing answers at the public address; the server may not be running.')];
    case 'not_configured':
      return [error('The running server says that its webhook is not configured.')];
    case 'redirected':
      return [error('The public address redirects the webhook; providers do not follow.')];
    case 'other_answer':
      return [error('Something other than this service answers at the webhook’s public address.')];
    default:
      return assertNever(webhook);
  }
}

const ANSWER_WITHIN_MS = 5_000;

/** Sends what the service must refuse: no signature, an empty object. Nothing is written by it. */
export async function probeWebhook(ports: Ports, url: string): Promise<NonNullable<NetworkFacts['webhook']>> {
  try {
    const reply = await ports.http.fetch(url, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (reply.status >= 300 && reply.status < 400) return 'redirected';
    const code = codeIn(await reply.text());
    if (code === 'signature_missing') return 'refused_as_unsigned';
    return code === 'webhook_not_configured' ? 'not_configured' : 'other_answer';
  } catch {
    // Refused, unknown name, bad certificate, too slow: for the operator all the same.
    return 'no_answer';
  }
}

function codeIn(text: string): string | null {
  try {
    const problem: unknown = JSON.parse(text);
    return typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : null;
  } catch {
    return null;
  }
}
