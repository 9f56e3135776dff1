import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../../providers/provider.ts';
import { insertInbox } from '../../store/inbox.ts';
import { refusalReply } from '../reply.ts';
import type { House } from '../house.ts';

/** What the provider is answered. */
export interface WebhookReply {
  readonly status: number;
  /** JSON text; `application/problem+json` from status 400 on. */
  readonly body: string;
}

/**
 * Takes in one webhook: verify, then store its bytes and the job that applies it, in one transaction.
 *
 * Nothing is applied here: a provider waits seconds for the answer, and what an event says is a hint, not the truth.
 * Refuses `webhook_not_configured` and what the provider's verification refuses; then nothing is stored. Stored before: 200 again,
 * because providers deliver at least once.
 * Throws `DatabaseUnavailable`: not stored, so the provider must send it again (5xx). It returns after the commit, never before.
 */
export async function receiveWebhook(
  house: House,
  providerName: string,
  delivery: Omit<WebhookDelivery, 'now'>,
  requestId: string = house.ports.ids.requestId(),
): Promise<WebhookReply> {
  const now = house.ports.clock.now();
  const verified = verify(house, providerName, { ...delivery, now });
  if (isRefusal(verified)) {
    house.ports.log.warn({ request_id: requestId, provider: providerName, code: verified.code }, 'webhook refused');
    return refusalReply(verified, requestId);
  }
  const isNew = await store(house, { provider: providerName, verified, body: delivery.body, now });
  return { status: 200, body: JSON.stringify({ received: true, duplicate: !isNew }) };
}

function verify(house: House, providerName: string, delivery: WebhookDelivery): VerifiedWebhook | Refusal {
  const provider = house.providers.get(providerName);
  return provider?.verifyWebhook(delivery) ?? refuse('webhook_not_configured', 'This webhook is not configured here.');
}

interface Arrival {
  readonly provider: string;
  readonly verified: VerifiedWebhook;
  readonly body: Uint8Array;
  readonly now: Date;
}

async function store(house: House, { provider, verified, body, now }: Arrival): Promise<boolean> {
  const { orderRef, paymentRef, paymentSid, refundSid } = verified;
  const isOfInterest = [orderRef, paymentRef, paymentSid, refundSid].some((hint) => hint !== null);
  const sid = house.ports.ids.sid();
  return await house.db.transaction('webhook.receive', async (tx) => {
    const isNew = await insertInbox(tx, {
      sid,
      provider,
      providerAccount: verified.accountId ?? 'self',
      isLive: verified.isLive,
      eventId: verified.eventId,
      eventType: verified.eventType,
      orderRef: verified.orderRef,
      paymentRef: verified.paymentRef,
      hintedSid: verified.paymentSid,
      refundSid: verified.refundSid,
      verifiedWith: verified.verifiedWith,
      body,
      state: isOfInterest ? 'received' : 'ignored',
      reason: isOfInterest ? null : 'event_type',
      receivedAt: now,
      nextAttemptAt: isOfInterest ? now : null,
    });
    if (isNew && isOfInterest) await house.jobs.enqueue(tx, 'webhook.apply', { sid });
    return isNew;
  });
}
