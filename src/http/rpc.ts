import { REFUSALS } from '../domain/refusal.ts';
import type { Refusal } from '../domain/refusal.ts';
import { dispatchRpc } from '../jsonrpc/dispatch.ts';
import type { Actor } from '../operations/operation.ts';
import { readJsonText } from './body.ts';
import type { App, AppContext, Site } from './context.ts';
import { identify } from './credentials.ts';
import { Refused } from './refused.ts';

/**
 * JSON-RPC 2.0 over POST. What is wrong with a call is answered in its error object with status 200; only what keeps us from
 * reading the request, or a caller from another site, is an HTTP error.
 */
export function addRpcRoute(app: App, site: Site, document: string): void {
  app.post('/rpc', async (c) => {
    c.set('operation', 'rpc');
    const actor = await actorOrRefusal(site, c);
    const answer = await dispatchRpc(site.house, {
      actor,
      text: (await readJsonText(c)) ?? '',
      idempotencyKey: c.req.header('idempotency-key') ?? null,
      requestId: c.get('requestId'),
      document,
    });
    c.set('operation', answer.operation);
    if (answer.replayed) c.header('idempotency-hit', 'true');
    if (answer.retryAfterSeconds !== undefined) c.header('retry-after', String(answer.retryAfterSeconds));
    if (answer.body === null) return c.body(null, 204);
    return c.body(answer.body, 200, { 'content-type': 'application/json' });
  });
}

async function actorOrRefusal(site: Site, c: AppContext): Promise<Actor | Refusal> {
  try {
    return await identify(site, c);
  } catch (error) {
    if (error instanceof Refused && REFUSALS[error.refusal.code].status === 401) return error.refusal;
    throw error;
  }
}
