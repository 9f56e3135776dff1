/** What others can be told of, with a sentence for whoever chooses among them. Types are dotted: the noun, then what became of it. */
export const EVENT_TYPES = {
  'payment.credited': 'A top-up has arrived and is in the wallet.',
  'payment.reversed': 'Money that was credited went back by itself: the rail or the provider took it.',
  'wallet.low_balance':
    'What is in the wallet has fallen below the limit for low balances. Told once until it is above it again.',
  'wallet.empty': 'Nothing is left in the wallet.',
  'grant.given': 'Credit was given; nobody has paid for it, and it is used first.',
  'grant.expiring': 'What is left of given credit cannot be used any more in seven days or less.',
  'grant.expired': 'What was left of given credit was taken back: its time is over.',
  'wallet.runway': 'At the present rate the wallet lasts no longer than one of the lead times for warnings.',
  'wallet.grace': 'Something is due and could not be paid; it says when the wallet is suspended for it.',
  'wallet.suspended': 'The VMs of the wallet are being stopped. Their disks are kept; it says until when.',
  'wallet.restored': 'Nothing is due any more; it says which VMs run again and which do not.',
  'wallet.released': 'The wallet was suspended for too long: its plan has ended and its VMs are given back.',
  'vm.allocated': 'A VM is there; it says how it is reached.',
  'vm.failed': 'A VM could not be made, or has failed.',
  'vm.released': 'A VM is gone, and its place of the plan is free.',
  'vm.suspended': 'A VM was stopped. Its disk is kept.',
  'vm.resumed': 'A VM that was stopped runs again.',
  'refund.requested': 'Money is being paid back; it has left what the wallet can spend.',
  'refund.succeeded': 'Money has been paid back.',
  'refund.failed': 'A refund did not succeed; the money is in the wallet again.',
  'dispute.opened': 'The payer disputes a payment at the bank; the amount is frozen.',
  'dispute.won': 'A dispute was decided for us; the amount is in the wallet again.',
  'dispute.lost': 'A dispute was decided against us; the amount is gone.',
  'auto_recharge.succeeded': 'The saved card was charged and the wallet filled.',
  'auto_recharge.failed': 'The saved card was declined.',
  'auto_recharge.action_required': 'The bank wants the card holder to confirm the charge.',
  'auto_recharge.disabled': 'Automatic recharging was switched off after repeated declines.',
  'plan.bought': 'A plan was bought; its first period has begun.',
  'plan.renewed': 'The next period of a plan was paid.',
  'plan.renews_soon': 'A plan renews in three days; it says whether the wallet can pay it.',
  'plan.changed': 'Another plan took the place of the one before.',
  'plan.past_due': 'The next period of a plan could not be paid. It is tried again as soon as the wallet can.',
  'plan.ended': 'A plan has ended. Its VMs are given back.',
  'key.created': 'A key for scripts was made.',
  'key.rotated': 'A key for scripts was replaced by a new one.',
  'endpoint.disabled': 'An endpoint is told nothing any more: it is gone, or has failed for days.',
  'outage.credited': 'A VM was down, and its share of the plan’s price for the time is in the wallet.',
  'endpoint.test': 'Sent on request, to see whether an endpoint works.',
} as const;

export type EventType = keyof typeof EVENT_TYPES;

// Object.keys widens to string; the keys are exactly the types.
export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as [EventType, ...EventType[]];

/** Facts for a program: amounts as decimal text, instants as ISO 8601. */
export type EventFacts = Readonly<Record<string, string | number | boolean | null>>;

/** Receivers expect messages below this; ours have some hundred bytes. */
export const EVENT_BYTES_MAX = 20_000;

export interface EventText {
  readonly type: EventType;
  readonly occurredAt: Date;
  /** What every event of a wallet says of it. */
  readonly about: EventFacts;
  readonly facts: EventFacts;
}

/**
 * The text that is signed and sent. Facts that are too long are left out, with a note: nothing that is told may undo what happened.
 */
export function eventBody({ type, occurredAt, about, facts }: EventText): string {
  const write = (data: EventFacts): string => JSON.stringify({ type, timestamp: occurredAt.toISOString(), data });
  const body = write({ ...about, ...facts });
  return Buffer.byteLength(body) <= EVENT_BYTES_MAX ? body : write({ ...about, is_cut: true });
}
