import { z } from 'zod';
import type { HandedIn, ProviderDisputes } from '../provider-disputes.ts';
import { ProviderFailure } from '../provider.ts';
import { checked, nullWhenMissing, type StripeCall } from './client.ts';
import { metadataText } from './own-payment.ts';

const answeredShape = z.object({
  id: z.string(),
  object: z.literal('dispute'),
  status: z.string(),
  payment_intent: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

/** What Stripe takes of each text. */
const TEXT_MAX = 20_000;
const CUT = '\n[cut here: it is too long for this form]';

/**
 * Evidence by an update that also submits it, a loss by closing the dispute. The update leaves our sid on the dispute, so that it is found
 * when its key has been forgotten: Stripe keeps keys for a day. A dispute that is lost needs no acceptance any more.
 */
export const stripeDisputes = (call: StripeCall): ProviderDisputes => ({
  answer: async ({ answerSid, disputeRef, paymentRef, evidence }) => {
    // Anything else would be put into a path; no dispute has such a name.
    if (!/^(dp|du|pdp)_[A-Za-z0-9_]{1,200}$/.test(disputeRef)) throw refused('Stripe has no dispute of this name.');
    const found = await call('read-dispute', false, (stripe) =>
      stripe.disputes.retrieve(disputeRef).catch(nullWhenMissing),
    );
    if (found === null) throw refused('Stripe does not know the dispute.');
    const { status, metadata, ...dispute } = checked(answeredShape, found, 'none');
    if (dispute.id !== disputeRef || dispute.payment_intent !== paymentRef)
      throw new ProviderFailure('broken', 'none', 'Stripe answered with another dispute.');
    const isThere = evidence === null ? CLOSED.has(status) : metadataText(metadata, 'answer_sid') === answerSid;
    if (isThere) return;
    if (!status.endsWith('needs_response')) throw refused('Stripe takes no answer to this dispute any more.');
    const key = { idempotencyKey: answerSid };
    if (evidence === null) {
      await call('close-dispute', true, (stripe) => stripe.disputes.close(disputeRef, {}, key));
      return;
    }
    const params = { evidence: toEvidence(evidence), metadata: { answer_sid: answerSid }, submit: true };
    await call('submit-evidence', true, (stripe) => stripe.disputes.update(disputeRef, params, key));
  },
});

/** What a dispute is that was closed by us: an inquiry ends without money, a dispute is lost. */
const CLOSED: ReadonlySet<string> = new Set(['lost', 'warning_closed']);

const refused = (sentence: string): ProviderFailure => new ProviderFailure('refused', 'none', sentence);

const toEvidence = ({ statement, customerName, product, activity, record }: HandedIn) => ({
  customer_name: cut(customerName),
  product_description: cut(product),
  access_activity_log: cut(activity),
  uncategorized_text: cut(`${statement}\n\n${record}`),
});

const cut = (text: string): string =>
  text.length <= TEXT_MAX ? text : text.slice(0, TEXT_MAX - CUT.length).toWellFormed() + CUT;
