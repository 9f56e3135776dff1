import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { DisputeStep } from '../../domain/dispute/converge.ts';
import { liveAccount, type AccountId, type Leg, type PostingRecord } from '../../domain/ledger/posting.ts';
import { micros } from '../../domain/money.ts';
import type { DisputeRow } from '../../store/dispute.ts';

/** The house's side of a dispute. */
export interface DisputeAccounts {
  /** `provider:<p>:clearing`: minus what the provider owes us. */
  readonly clearing: AccountId;
  /** `provider:<p>:disputed`: minus what it withholds. */
  readonly disputed: AccountId;
}

const DESCRIPTIONS = {
  dispute_open: 'Disputed payment: set aside',
  dispute_won: 'Dispute won: given back',
  dispute_lost: 'Dispute lost',
} as const;

/**
 * The posting of one step. Named by the dispute and the number of its change, never by an event: several kinds of event speak of one
 * change, and each may come many times. What the provider charges for a dispute is posted from its statement, like every fee.
 */
export function toDisputePosting(
  dispute: Pick<DisputeRow, 'sid' | 'paymentSid' | 'wallet' | 'provider' | 'providerAccount' | 'disputeRef' | 'step'>,
  step: DisputeStep,
  facts: { readonly accounts: DisputeAccounts; readonly now: Date },
): PostingRecord {
  const { provider, providerAccount, disputeRef } = dispute;
  return {
    idem: deriveIdem(provider, providerAccount, disputeRef, step.kind, dispute.step.toString()),
    fingerprint: fingerprintOf([dispute.sid, step.amount.toString()]),
    kind: step.kind,
    legs: legsOf(dispute.wallet, step, facts.accounts),
    // What is disputed may have been spent: the provider does not ask.
    mayOverdraw: step.kind === 'dispute_open',
    passesFreeze: true,
    occurredAt: facts.now,
    about: JSON.stringify({
      description: DESCRIPTIONS[step.kind],
      dispute_sid: dispute.sid,
      payment_sid: dispute.paymentSid,
      provider,
      external_ref: disputeRef,
    }),
  };
}

function legsOf(wallet: bigint, { kind, amount }: DisputeStep, { clearing, disputed }: DisputeAccounts): Leg[] {
  const minus = micros(-amount);
  const main = liveAccount(wallet, 'wallet');
  const frozen = liveAccount(wallet, 'frozen');
  if (kind === 'dispute_lost') {
    return [
      { account: frozen, amount: minus },
      { account: disputed, amount },
    ];
  }
  const [taken, given] = kind === 'dispute_open' ? [minus, amount] : [amount, minus];
  return [
    { account: main, amount: taken },
    { account: frozen, amount: given },
    { account: disputed, amount: taken },
    { account: clearing, amount: given },
  ];
}
