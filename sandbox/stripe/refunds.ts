import { z } from 'zod';
import { ApiError, invalid, missing } from './api-error.ts';
import refund from './fixtures/refund.json' with { type: 'json' };
import { isMap, type FormMap } from './form.ts';
import { chargeObject } from './objects.ts';
import type { Charge, Metadata } from './records.ts';
import type { StripeState } from './state.ts';
import type { Switches } from './switches.ts';

export interface Refund {
  readonly id: string;
  readonly created: number;
  readonly chargeId: string;
  readonly intentId: string;
  readonly currency: string;
  readonly amount: number;
  readonly reason: string | null;
  readonly metadata: Metadata;
  status: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled';
  pendingReason: string | null;
  failureReason: string | null;
  /** When it left our balance, and when it came back to it; null: it has not. */
  leftAt: number | null;
  returnedAt: number | null;
  /** Of one that ends by itself: how. */
  endsAs: 'succeeded' | 'failed' | null;
}

/** What somebody does in the dashboard. */
export const openRefundSchema = z.strictObject({
  /** A session, a PaymentIntent or a charge, by its id. */
  about: z.string(),
  /** Absent: all that is left. */
  amountCents: z.number().int().positive().optional(),
  status: z.enum(['pending', 'requires_action', 'succeeded']).optional(),
});
export const endRefundSchema = z.strictObject({
  status: z.enum(['succeeded', 'failed', 'canceled']),
  failureReason: z.string().optional(),
});

interface NewRefund {
  readonly charge: Charge;
  readonly amount: number | null;
  readonly reason: string | null;
  readonly metadata: Metadata;
  readonly status?: Refund['status'] | undefined;
}

const isAway = ({ status }: Refund): boolean => status !== 'failed' && status !== 'canceled';
const refundsOf = (state: StripeState, charge: Charge): Refund[] =>
  [...state.refunds.values()].filter(({ chargeId }) => chargeId === charge.id);

/** Throws ApiError as Stripe refuses: more than is left of the charge, or nothing is left. */
export function createRefund(state: StripeState, switches: Switches, asked: NewRefund): Refund {
  const { charge } = asked;
  const gone = refundsOf(state, charge).reduce((sum, it) => sum + (isAway(it) ? it.amount : 0), 0);
  const left = charge.amount - gone;
  if (left <= 0)
    throw new ApiError(400, `Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' });
  const amount = asked.amount ?? left;
  if (amount > left)
    throw invalid(
      'amount',
      `Refund amount (${dollars(amount)}) is greater than unrefunded amount on charge (${dollars(left)})`,
    );
  const made: Refund = {
    id: state.id('re_3', 23),
    created: state.now(),
    chargeId: charge.id,
    intentId: charge.intentId,
    currency: charge.currency,
    amount,
    reason: asked.reason,
    metadata: asked.metadata,
    failureReason: null,
    leftAt: null,
    returnedAt: null,
    ...beginningOf(asked, amount, switches),
  };
  if (made.status === 'succeeded') made.leftAt = state.now();
  state.refunds.set(made.id, made);
  keep(state, made, charge);
  state.emit('refund.created', refundObject(made));
  state.emit('charge.refunded', chargeObject(charge));
  return made;
}

type Beginning = Pick<Refund, 'status' | 'pendingReason' | 'endsAs'>;

function beginningOf({ status }: NewRefund, amount: number, { refundsAs, balanceCents }: Switches): Beginning {
  if (status !== undefined) return { status, pendingReason: status === 'pending' ? 'processing' : null, endsAs: null };
  if (balanceCents !== null && amount > balanceCents)
    return { status: 'pending', pendingReason: 'insufficient_funds', endsAs: null };
  if (refundsAs === 'succeeded' || refundsAs === 'fails-later')
    return { status: 'succeeded', pendingReason: null, endsAs: refundsAs === 'succeeded' ? null : 'failed' };
  const endsAs = refundsAs === 'later-succeeds' ? 'succeeded' : refundsAs === 'later-fails' ? 'failed' : null;
  return { status: 'pending', pendingReason: 'processing', endsAs };
}

/** The money has arrived, or it came back; one that failed stays so. */
export function endRefund(
  state: StripeState,
  it: Refund,
  { status, failureReason }: { readonly status: Refund['status']; readonly failureReason?: string | undefined },
): 'done' | 'ended' {
  if (!isAway(it) || it.status === status) return 'ended';
  it.status = status;
  if (status === 'succeeded') it.leftAt = state.now();
  else if (it.leftAt !== null) it.returnedAt = state.now();
  it.pendingReason = null;
  it.endsAs = null;
  it.failureReason = status === 'failed' ? (failureReason ?? 'declined') : null;
  const charge = state.charges.get(it.chargeId);
  if (charge !== undefined) keep(state, it, charge);
  state.emit('refund.updated', refundObject(it));
  if (status === 'failed') state.emit('refund.failed', refundObject(it));
  state.emit('charge.refund.updated', refundObject(it));
  return 'done';
}

function keep(state: StripeState, it: Refund, charge: Charge): void {
  charge.amountRefunded = refundsOf(state, charge).reduce((sum, one) => sum + (isAway(one) ? one.amount : 0), 0);
  state.keepChange({ refunds: [it], charges: [charge] });
}

/** What the dashboard does; null: there is no such charge. */
export function openRefund(
  state: StripeState,
  switches: Switches,
  asked: z.infer<typeof openRefundSchema>,
): Refund | null {
  const intentId = state.sessions.get(asked.about)?.intentId ?? asked.about;
  const charge = state.charges.get(state.intents.get(intentId)?.chargeId ?? asked.about);
  if (charge === undefined) return null;
  const { amountCents: amount = null, status } = asked;
  return createRefund(state, switches, { charge, amount, reason: null, metadata: {}, status });
}

const PARAMS = new Set(['payment_intent', 'charge', 'amount', 'reason', 'metadata', 'expand']);
const REASONS = new Set(['duplicate', 'fraudulent', 'requested_by_customer']);

/** `/v1/refunds…`; null: not one of these. `onMade` is told of each new one. */
export function routeRefunds(
  state: StripeState,
  switches: Switches,
  request: { readonly route: string; readonly id: string; readonly form: FormMap },
  list: (all: readonly Refund[]) => object,
  onMade: (it: Refund) => void,
): object | null {
  const { route, id, form } = request;
  switch (route) {
    case 'POST refunds': {
      const made = createRefund(state, switches, readRefundParams(state, form));
      onMade(made);
      return refundObject(made);
    }
    case 'GET refunds': {
      const { payment_intent: intent, charge } = form;
      const fits = (it: Refund): boolean =>
        (intent === undefined || it.intentId === intent) && (charge === undefined || it.chargeId === charge);
      return list([...state.refunds.values()].filter(fits));
    }
    case 'GET refunds {id}': {
      const it = state.refunds.get(id);
      if (it === undefined) throw missing('refund', id, 'id');
      return refundObject(it);
    }
    default:
      return null;
  }
}

function readRefundParams(state: StripeState, form: FormMap): NewRefund {
  const unknown = Object.keys(form).find((name) => !PARAMS.has(name));
  if (unknown !== undefined) throw invalid(unknown, `Received unknown parameter: ${unknown}`, 'parameter_unknown');
  const { payment_intent: intentId, charge: chargeId, amount, reason = null } = form;
  if (typeof intentId !== 'string' && typeof chargeId !== 'string')
    throw invalid(
      'charge',
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  if (reason !== null && (typeof reason !== 'string' || !REASONS.has(reason)))
    throw invalid('reason', 'Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer');
  if (amount !== undefined && (typeof amount !== 'string' || !/^[1-9][0-9]{0,11}$/.test(amount)))
    throw invalid('amount', 'Invalid positive integer', 'parameter_invalid_integer');
  const cents = amount === undefined ? null : Number(amount);
  return { charge: chargeFor(state, intentId, chargeId), amount: cents, reason, metadata: readMetadata(form) };
}

function chargeFor(
  state: StripeState,
  intentId: FormMap[string] | undefined,
  chargeId: FormMap[string] | undefined,
): Charge {
  if (typeof intentId === 'string') {
    const intent = state.intents.get(intentId);
    if (intent === undefined) throw missing('payment_intent', intentId, 'payment_intent');
    const charge = intent.chargeId === null ? undefined : state.charges.get(intent.chargeId);
    if (charge !== undefined) return charge;
    throw invalid('payment_intent', 'This PaymentIntent does not have a successful charge to refund.');
  }
  const named = typeof chargeId === 'string' ? chargeId : '';
  const charge = state.charges.get(named);
  if (charge === undefined) throw missing('charge', named, 'charge');
  return charge;
}

function readMetadata(form: FormMap): Metadata {
  const given = form['metadata'];
  const entries = Object.entries(isMap(given) ? given : {}).map(([key, value]) => {
    if (typeof value !== 'string') throw invalid(`metadata[${key}]`, 'Metadata values must be strings.');
    return [key, value] as const;
  });
  return Object.fromEntries(entries);
}

export const refundObject = (it: Refund): object => ({
  ...refund,
  id: it.id,
  amount: it.amount,
  charge: it.chargeId,
  created: it.created,
  currency: it.currency,
  ...(it.failureReason === null ? {} : { failure_reason: it.failureReason }),
  metadata: it.metadata,
  payment_intent: it.intentId,
  ...(it.pendingReason === null ? {} : { pending_reason: it.pendingReason }),
  reason: it.reason,
  status: it.status,
});

/** Exact: the cents are cut into text, never divided. */
function dollars(cents: number): string {
  const digits = String(cents).padStart(3, '0');
  return `$${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
