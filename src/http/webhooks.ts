import { refuse } from '../domain/refusal.ts';
import { refusalReply } from '../operations/reply.ts';
import { receiveWebhook, type WebhookReply } from '../operations/webhook-event/receive.ts';
import { readBytes } from './body.ts';
import { limitKey } from '../domain/identity/caller-address.ts';
import { addressOf, type App, type AppContext, type Site } from './context.ts';

/** The largest event of a provider is far below. */
const WEBHOOK_BYTES_MAX = 524_288;
/** For a webhook that is not configured: an operator has to act first. */
const RETRY_AFTER_SECONDS = 60;

/** Providers deliver here. Cookies and credentials are not looked at: the signature over the raw bytes is all that counts. */
export function addWebhookRoute(app: App, site: Site): void {
  const { house: given, options } = site;
  const house = { ...given, db: options.reserved ?? given.db };
  app.post('/webhooks/:provider', async (c) => {
    c.set('operation', 'webhook-event.receive');
    const body = await readBytes(c, WEBHOOK_BYTES_MAX);
    const delivery = { body, headers: headersOf(c) };
    const checked = await receiveWebhook(house, c.req.param('provider'), delivery, c.get('requestId'));
    const reply = judgeSignature(site, c, checked);
    const isProblem = reply.status >= 400;
    const headers: Record<string, string> = {
      'content-type': isProblem ? 'application/problem+json' : 'application/json',
    };
    if (reply.status === 429) headers['retry-after'] = String(RETRY_AFTER_SECONDS);
    if (reply.status === 503) headers['retry-after'] = String(RETRY_AFTER_SECONDS);
    return new Response(reply.body, { status: reply.status, headers });
  });
}

/**
 * An address that sends nothing but bad signatures is told to slow down. What is signed well is taken from everywhere: a provider and an
 * attacker may come through the same proxy, and checking a signature costs less than guarding against it.
 */
function judgeSignature(site: Site, c: AppContext, reply: WebhookReply): WebhookReply {
  if (reply.status !== 400) return reply;
  const peer = limitKey(addressOf(site, c));
  if (site.webhookFailures.secondsBarred(peer) === 0) {
    site.webhookFailures.count(peer);
    return reply;
  }
  return refusalReply(refuse('rate_limited', 'Too many bad signatures from this address.'), c.get('requestId'));
}

/** Each header with all its values: two signatures must not look like one. */
function headersOf(c: AppContext): ReadonlyMap<string, readonly string[]> {
  const distinct = c.env?.incoming?.headersDistinct;
  if (distinct) return new Map(Object.entries(distinct).map(([name, values]) => [name, values ?? []]));
  return new Map([...c.req.raw.headers].map(([name, value]) => [name, [value]]));
}
