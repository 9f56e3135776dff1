import { isRefusal } from '../domain/refusal.ts';
import { receiveWebhook } from '../operations/webhook-event/receive.ts';
import { readBytes } from './body.ts';
import type { App, AppContext, Site } from './context.ts';
import { Refused } from './refused.ts';

/** The largest event of a provider is far below. */
const WEBHOOK_BYTES_MAX = 524_288;

/** Providers deliver here. Cookies and credentials are not looked at: the signature over the raw bytes is all that counts. */
export function addWebhookRoute(app: App, site: Site): void {
  app.post('/webhooks/:provider', async (c) => {
    c.set('operation', 'webhook-event.receive');
    const body = await readBytes(c, WEBHOOK_BYTES_MAX);
    const received = await receiveWebhook(site.house, c.req.param('provider'), { body, headers: headersOf(c) });
    if (isRefusal(received)) throw new Refused(received);
    return c.json({ received: true, duplicate: received.isDuplicate });
  });
}

/** Each header with all its values: two signatures must not look like one. */
function headersOf(c: AppContext): ReadonlyMap<string, readonly string[]> {
  const distinct = c.env?.incoming?.headersDistinct;
  if (distinct) return new Map(Object.entries(distinct).map(([name, values]) => [name, values ?? []]));
  return new Map([...c.req.raw.headers].map(([name, value]) => [name, [value]]));
}
