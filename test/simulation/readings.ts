import type { Chance } from './random.ts';

export interface Reading {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const LIMITS = [1, 2, 7, 50, 200];
const HOLD_STATES = ['open', 'captured', 'released', 'expired', 'captured_late'];
const PAYMENT_STATES = ['created', 'open', 'processing', 'credited', 'failed', 'expired', 'quarantined'];
const WEBHOOK_STATES = ['received', 'pending', 'applied', 'ignored', 'quarantined', 'dead'];
const SEARCHES = ['User', 'user 1', '%', '_', "'; --", 'nobody at all', 'é'];

interface Known {
  readonly walletSid: string;
  readonly userSid: string;
  readonly holds: readonly string[];
  readonly payments: readonly string[];
  readonly isOperator: boolean;
}

/** Something to read, with filters as chance has it. Operators also read what belongs to everybody. */
export function drawReading(chance: Chance, known: Known): Reading {
  const { walletSid, userSid, holds, payments, isOperator } = known;
  const limit = chance.pick(LIMITS);
  // A user may leave the wallet out and means the own one; an operator then means all.
  const wallet = chance.is(0.8) ? { wallet_sid: walletSid } : {};
  const own: Reading[] = [
    { operation: 'billing.get', input: { sid: walletSid } },
    { operation: 'billing.get', input: { sid: walletSid } },
    { operation: 'billing.statement', input: { sid: walletSid, limit } },
    { operation: 'billing.statement', input: { sid: walletSid, limit } },
    { operation: 'hold.list', input: { ...wallet, limit, ...some(chance, 'state', HOLD_STATES) } },
    { operation: 'payment.list', input: { ...wallet, limit, ...some(chance, 'state', PAYMENT_STATES) } },
    { operation: 'payment-event.list', input: { ...wallet, limit } },
    { operation: 'user.get', input: { sid: userSid } },
    { operation: 'session.list', input: { sid: userSid } },
    { operation: 'identity.list', input: { sid: userSid } },
    ...pickedFrom(chance, 'hold.get', holds),
    ...pickedFrom(chance, 'payment.get', payments),
  ];
  const all: Reading[] = [
    { operation: 'billing.list', input: { limit, ...some(chance, 'search', SEARCHES) } },
    { operation: 'user.list', input: { limit, ...some(chance, 'search', SEARCHES) } },
    { operation: 'webhook-event.list', input: { limit, ...some(chance, 'state', WEBHOOK_STATES) } },
    { operation: 'audit.list', input: { limit, ...some(chance, 'subject', [walletSid]) } },
  ];
  return chance.pick(isOperator ? [...own, ...all] : own);
}

const some = (chance: Chance, field: string, values: readonly string[]): Record<string, string> =>
  chance.is(0.5) ? { [field]: chance.pick(values) } : {};

const pickedFrom = (chance: Chance, operation: string, sids: readonly string[]): Reading[] =>
  sids.length === 0 ? [] : [{ operation, input: { sid: chance.pick(sids) } }];
