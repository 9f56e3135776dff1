import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../../providers/provider.ts';
import { insertInbox, type NewInboxRow } from '../../store/inbox.ts';
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
  const { verifiedWith, ...event } = verified;
  const arrival = { provider: providerName, event, body: delivery.body, now, source: 'webhook', verifiedWith } as const;
  const isNew = await storeEvent(house, arrival);
  return { status: 200, body: JSON.stringify({ received: true, duplicate: !isNew }) };
}

function verify(house: House, providerName: string, delivery: WebhookDelivery): VerifiedWebhook | Refusal {
  const provider = house.providers.get(providerName);
  return provider?.verifyWebhook(delivery) ?? refuse('webhook_not_configured', 'This webhook is not configured here.');
}

export interface Arrival extends Pick<NewInboxRow, 'provider' | 'source' | 'verifiedWith' | 'body'> {
  readonly event: Omit<VerifiedWebhook, 'verifiedWith'>;
  readonly now: Date;
}

/** Stores an authentic event and the job that applies it, in one transaction. False when it was stored before. */
export async function storeEvent(
  house: House,
  { provider, event, body, now, source, verifiedWith }: Arrival,
): Promise<boolean> {
  const { orderRef, paymentRef, paymentSid, refundSid, refundRef } = event;
  const isOfInterest = [orderRef, paymentRef, paymentSid, refundSid, refundRef].some((hint) => hint !== null);
  const sid = house.ports.ids.sid();
  return await house.db.transaction('webhook.receive', async (tx) => {
    const isNew = await insertInbox(tx, {
      sid,
      provider,
      source,
      providerAccount: event.accountId ?? 'self',
      isLive: event.isLive,
      eventId: event.eventId,
      eventType: event.eventType,
      orderRef,
      paymentRef,
      hintedSid: paymentSid,
      refundSid,
      refundRef,
      verifiedWith,
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
