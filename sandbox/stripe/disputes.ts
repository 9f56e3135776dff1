import { z } from 'zod';
import { ApiError, invalid, missing } from './api-error.ts';
import type { FormMap } from './form.ts';
import type { Charge } from './records.ts';
import type { StripeState } from './state.ts';

export const DISPUTE_STATUSES = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'appeal_needs_response',
  'appeal_under_review',
  'won',
  'lost',
  'prevented',
] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

/** What a dispute did to the balance: withdrawn is minus, reinstated plus. */
export interface DisputeTransaction {
  readonly id: string;
  readonly created: number;
  readonly amount: number;
  readonly fee: number;
}

export interface Dispute {
  readonly id: string;
  readonly created: number;
  readonly chargeId: string;
  readonly intentId: string;
  readonly currency: string;
  readonly livemode: boolean;
  readonly reason: string;
  readonly feeCents: number;
  amount: number;
  status: DisputeStatus;
  dueBy: number | null;
  evidence: Record<string, string>;
  submissions: number;
  /** Absent in a state file from before it was kept. */
  metadata?: Record<string, string>;
  transactions: DisputeTransaction[];
}

export const openDisputeSchema = z.strictObject({
  /** A session, a PaymentIntent or a charge, by its id. */
  about: z.string(),
  status: z.enum(['needs_response', 'warning_needs_response']).default('needs_response'),
  amountCents: z.number().int().positive().optional(),
  feeCents: z.number().int().nonnegative().default(1_500),
  reason: z.string().default('fraudulent'),
});
export const moveDisputeSchema = z.strictObject({
  status: z.enum(DISPUTE_STATUSES),
  amountCents: z.number().int().positive().optional(),
  /** Of a dispute that is won: whether its fee is given back. */
  feeReturned: z.boolean().default(false),
});

/** A bank takes that long to decide at least; evidence is due before. */
const DAYS_TO_ANSWER = 9;
const DAY_SECONDS = 86_400;

/** Money is withheld in these, gone in `lost`; an inquiry (`warning_…`) withdraws nothing. */
const isWithdrawn = (status: DisputeStatus): boolean => /^(needs_response|under_review|appeal_.*|lost)$/.test(status);

/** The customer's bank opens a dispute, or asks. Null: there is no such charge. */
export function openDispute(state: StripeState, asked: z.infer<typeof openDisputeSchema>): Dispute | null {
  const charge = chargeOf(state, asked.about);
  if (charge === null) return null;
  const dispute: Dispute = {
    id: state.id('dp_1', 23),
    created: state.now(),
    chargeId: charge.id,
    intentId: charge.intentId,
    currency: charge.currency,
    livemode: charge.livemode,
    reason: asked.reason,
    feeCents: asked.feeCents,
    amount: asked.amountCents ?? charge.amount,
    status: asked.status,
    dueBy: state.now() + DAYS_TO_ANSWER * DAY_SECONDS,
    evidence: {},
    submissions: 0,
    transactions: [],
  };
  state.disputes.set(dispute.id, dispute);
  charge.isDisputed = true;
  const moved = follow(state, dispute);
  keep(state, dispute, charge);
  state.emit('charge.dispute.created', disputeObject(dispute));
  if (moved !== null) state.emit(moved, disputeObject(dispute));
  return dispute;
}

/** The bank decides, or looks on. Every move is allowed: banks do surprising things. */
export function moveDispute(
  state: StripeState,
  dispute: Dispute,
  asked: { readonly status: DisputeStatus; readonly amountCents?: number | undefined; readonly feeReturned?: boolean },
): void {
  dispute.status = asked.status;
  dispute.amount = asked.amountCents ?? dispute.amount;
  if (!asked.status.endsWith('needs_response')) dispute.dueBy = null;
  else dispute.dueBy ??= state.now() + DAYS_TO_ANSWER * DAY_SECONDS;
  const moved = follow(state, dispute, asked.feeReturned);
  keep(state, dispute, null);
  if (moved !== null) state.emit(moved, disputeObject(dispute));
  const isOver = ['won', 'lost', 'warning_closed', 'prevented'].includes(dispute.status);
  state.emit(isOver ? 'charge.dispute.closed' : 'charge.dispute.updated', disputeObject(dispute));
}

/** Brings the balance to what the status says. Answers the event of it. */
function follow(state: StripeState, dispute: Dispute, feeReturned = false): string | null {
  const taken = -dispute.transactions.reduce((sum, { amount }) => sum + amount, 0);
  const wanted = isWithdrawn(dispute.status) ? dispute.amount : 0;
  if (taken === wanted) return null;
  const isFirst = dispute.transactions.length === 0;
  const fee = wanted > taken ? (isFirst ? dispute.feeCents : 0) : feeReturned ? -dispute.feeCents : 0;
  dispute.transactions.push({ id: state.id('txn_1', 23), created: state.now(), amount: taken - wanted, fee });
  return wanted > taken ? 'charge.dispute.funds_withdrawn' : 'charge.dispute.funds_reinstated';
}

function keep(state: StripeState, dispute: Dispute, charge: Charge | null): void {
  state.keepChange({ disputes: [dispute], ...(charge === null ? {} : { charges: [charge] }) });
}

function chargeOf(state: StripeState, about: string): Charge | null {
  const intentId = state.sessions.get(about)?.intentId ?? about;
  const chargeId = state.intents.get(intentId)?.chargeId ?? about;
  return state.charges.get(chargeId) ?? null;
}

/** `/v1/disputes…`; null: not one of these. */
export function routeDisputes(
  state: StripeState,
  { route, id, form }: { readonly route: string; readonly id: string; readonly form: FormMap },
  list: (all: readonly Dispute[]) => object,
): object | null {
  switch (route) {
    case 'GET disputes': {
      const { payment_intent: intent, charge } = form;
      const fits = (it: Dispute): boolean =>
        (intent === undefined || it.intentId === intent) && (charge === undefined || it.chargeId === charge);
      return list([...state.disputes.values()].filter(fits));
    }
    case 'GET disputes {id}':
      return disputeObject(find(state, id));
    case 'POST disputes {id}':
      return submit(state, find(state, id), form);
    case 'POST disputes {id} close': {
      const dispute = find(state, id);
      if (!dispute.status.endsWith('needs_response')) throw new ApiError(400, 'This dispute is already closed.');
      moveDispute(state, dispute, { status: dispute.status.startsWith('warning') ? 'warning_closed' : 'lost' });
      return disputeObject(dispute);
    }
    default:
      return null;
  }
}

function find(state: StripeState, id: string): Dispute {
  const dispute = state.disputes.get(id);
  if (dispute === undefined) throw missing('dispute', id, 'dispute');
  return dispute;
}

const EVIDENCE_TEXT_MAX = 20_000;

/** Evidence is kept; with `submit` (the default) it goes to the bank, and no more is taken. */
function submit(state: StripeState, dispute: Dispute, form: FormMap): object {
  const { evidence, metadata, submit: isSubmitted = 'true' } = form;
  if (!dispute.status.endsWith('needs_response')) {
    throw invalid('evidence', 'The evidence for this dispute can no longer be updated.');
  }
  if (typeof evidence === 'object' && !Array.isArray(evidence)) {
    for (const [name, text] of Object.entries(evidence)) {
      if (typeof text !== 'string') continue;
      if (text.length > EVIDENCE_TEXT_MAX) throw invalid(`evidence[${name}]`, 'Evidence is at most 20000 characters.');
      dispute.evidence[name] = text;
    }
  }
  if (typeof metadata === 'object' && !Array.isArray(metadata)) {
    const given = Object.entries(metadata).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    dispute.metadata = { ...dispute.metadata, ...Object.fromEntries(given) };
  }
  if (isSubmitted === 'true') {
    dispute.submissions += 1;
    const status = dispute.status.replace('needs_response', 'under_review') as DisputeStatus;
    moveDispute(state, dispute, { status });
  } else {
    keep(state, dispute, null);
    state.emit('charge.dispute.updated', disputeObject(dispute));
  }
  return disputeObject(dispute);
}

export function disputeObject(it: Dispute): object {
  return {
    id: it.id,
    object: 'dispute',
    amount: it.amount,
    balance_transactions: it.transactions.map((one) => transactionObject(it, one)),
    charge: it.chargeId,
    created: it.created,
    currency: it.currency,
    enhanced_eligibility_types: [],
    evidence: it.evidence,
    evidence_details: {
      due_by: it.dueBy,
      enhanced_eligibility: {},
      has_evidence: Object.keys(it.evidence).length > 0,
      past_due: false,
      submission_count: it.submissions,
    },
    is_charge_refundable: it.status.startsWith('warning_'),
    livemode: it.livemode,
    metadata: it.metadata ?? {},
    payment_intent: it.intentId,
    reason: it.reason,
    status: it.status,
  };
}

export const transactionObject = (dispute: Dispute, it: DisputeTransaction): object => ({
  id: it.id,
  object: 'balance_transaction',
  amount: it.amount,
  available_on: it.created,
  created: it.created,
  currency: dispute.currency,
  description:
    it.amount < 0 ? `Chargeback withdrawal for ${dispute.chargeId}` : `Chargeback reversal for ${dispute.chargeId}`,
  exchange_rate: null,
  fee: it.fee,
  fee_details: [],
  net: it.amount - it.fee,
  reporting_category: it.amount < 0 ? 'dispute' : 'dispute_reversal',
  source: dispute.id,
  status: 'available',
  type: 'adjustment',
});
