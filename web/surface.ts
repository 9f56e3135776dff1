/** The records of the API as the pages read them. The types come from the operations themselves, by way of the client. */
import type { Output } from '../client/client.ts';

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export type Session = Output<'session.get'>;
export type ServiceClock = Output<'clock.get'>;
export type UserIdentity = Output<'identity.list'>['items'][number];
export type SessionWallet = Session['wallets'][number];
export type MemberRole = SessionWallet['role'];
export type Organisation = Output<'organisation.get'>;
export type Member = Output<'member.list'>['items'][number];
export type Invitation = Output<'invitation.list'>['items'][number];
export type InvitationWithToken = Output<'invitation.create'>;
export type InvitationLook = Output<'invitation.look'>;
export type Billing = Output<'billing.get'>;
export type StatementLine = Output<'billing.statement'>['items'][number];
export type Adjustment = Output<'billing.adjust'>;
export type Payment = Output<'payment.get'>;
export type CardList = Output<'card.list'>;
export type SavedCard = CardList['items'][number];
export type AutoRecharge = Output<'auto-recharge.get'>;
export type PaymentState = Payment['state'];
export type PaymentEvent = Output<'payment-event.list'>['items'][number];
export type AccountReport = Output<'reconciliation.report'>['accounts'][number];
export type ReconciliationRun = Output<'reconciliation.run'>;
export type Movement = Output<'movement.list'>['items'][number];
export type Refund = Output<'refund.get'>;
export type RefundState = Refund['state'];
export type RefundPlan = Output<'refund.plan'>;
export type RefundQuote = Output<'refund.quote'>;
export type Dispute = Output<'dispute.list'>['items'][number];
export type DisputeWithAnswers = Output<'dispute.get'>;
export type DisputeAnswer = Output<'dispute.accept'>;
export type DisputeEvidence = Output<'dispute.evidence'>;
export type WebhookEvent = Output<'webhook-event.list'>['items'][number];
export type Endpoint = Output<'endpoint.list'>['items'][number];
export type EndpointWithSecret = Output<'endpoint.create'>;
export type Delivery = Output<'delivery.list'>['items'][number];
export type DeliveryWithLog = Output<'delivery.get'>;
export type Mail = Output<'mail.list'>['items'][number];
export type Receipt = Output<'receipt.list'>['items'][number];
export type ReceiptFile = Output<'receipt.download'>;
export type UserKey = Output<'key.list'>['items'][number];
export type KeyWithSecret = Output<'key.create'>;
export type KeyScope = UserKey['scopes'][number];
export type User = Output<'user.get'>;
export type Identity = Output<'identity.list'>['items'][number];
export type OpenSession = Output<'session.list'>['items'][number];
export type Erasure = Output<'erasure.get'>;
export type Hold = Output<'hold.list'>['items'][number];
export type Explanation = Output<'usage.explain'>;
export type TakenBack = Output<'usage.void'>;
export type UsageSum = Output<'usage.summary'>['items'][number];
export type Runway = Output<'usage.runway'>;
export type LadderStanding = Output<'usage.ladder'>['items'][number];
export type Unbilled = Output<'usage.list-unbilled'>['items'][number];
export type UsageNode = Output<'node.get'>;
export type NodeWithKey = Output<'node.register'>;
export type NodeCharge = Output<'node.usage'>['items'][number];
export type NodeReversal = Output<'node.reverse'>;
export type Price = Output<'price.list'>['items'][number];
export type Ladder = Output<'ladder.list'>['items'][number];
export type AuditEvent = Output<'audit.list'>['items'][number];
