/**
 * The states that matter. A run that is long enough hits each of them; one that is never hit again is a hole in the simulator,
 * whatever the oracle says. Closed: code can hit only what is listed.
 */
export const MARKS = [
  // Money
  'a balance is below zero',
  'a debit is refused',
  'several records share a commit',
  'two operators adjust one wallet at once',
  'a wallet is frozen for a while',
  'a frozen wallet refuses',
  // Holds
  'a hold is captured',
  'a hold is released',
  'a hold expires',
  'a hold is captured after its expiry',
  'a capture above the hold is refused',
  // Leases
  'a lease is granted',
  'a lease is refused for want of money',
  'usage is taken out of its lease',
  'usage comes when its lease is over',
  'a lease is used up',
  'a lease is given back',
  'a lease expires',
  'a lease of another node is refused',
  // Answers
  'an unanswered call had happened',
  'an unanswered call had not happened',
  'an unanswered call is repeated and answered',
  'what was unknown turns out done',
  'a repetition gets the first answer',
  'a reused key is refused',
  'a first call still runs',
  'a full queue turns a call away',
  'a client gives up without an answer',
  'a repetition meets another process',
  'no process is up',
  // People
  'nobody is refused',
  'a stranger is refused',
  'a user joins',
  'a second page is read',
  'a later answer is further on',
  // Usage
  'usage takes a wallet below zero',
  'usage is unbilled',
  'usage comes late',
  'use goes on for a week',
  'fractions come to a micro-dollar',
  'a repeated record is answered as the first time',
  'a node is over its budget',
  'a node may not report for everybody',
  'a record crosses the end of a tier',
  'a package covers a record',
  'tokens are priced by the table',
  'what has no price is refused',
  // Numbers
  'numbers are missing',
  'no number is missing',
  'a number is reused',
  'numbers are given up',
  'operators are told of gaps',
  // Through a Forge
  'usage is pushed to the Forge',
  'the Forge refuses a push',
  'a file on the Forge cannot be read',
  'queued usage is charged',
  'queued usage is set aside',
  // Corrections
  'an estimate is trued up',
  'a correction of what is no more is refused',
  'a line is taken back',
  'a line is charged anew',
  'a line is moved to another rung',
  'the rung of a day that is over is proved',
  'many lines are taken back',
  'many lines are charged anew',
  'a correction is cancelled',
  'a correction is tried without being made',
  'a preview is held against what stands',
  'unbilled usage is billed later',
  'unbilled usage is written off',
  'unbilled usage waits for money',
  'a correction takes the place of what was unbilled',
  'an unbilled correction is billed',
  // Payments
  'a customer leaves the checkout: paid',
  'a customer leaves the checkout: declined',
  'a customer leaves the checkout: later-succeeds',
  'a customer leaves the checkout: later-fails',
  'a customer leaves the checkout: abandon',
  'a payment ends credited',
  'a payment ends failed',
  'a payment ends expired',
  'a payment ends quarantined',
  'the amount differs from the order',
  'money in another currency is set aside',
  'a lost webhook stays lost without healing',
  'healing credits what no webhook told',
  // Webhooks
  'a forged delivery is refused',
  'a stale delivery is refused',
  'a delivery from the future is refused',
  "a stranger's event is set aside: mode_mismatch",
  "a stranger's event is set aside: account_mismatch",
  'an event of no order is set aside',
  'an operator replays a webhook: quarantined',
  'an operator replays a webhook: applied',
  'the queue loses a job',
  'the sweep finds what the queue lost',
  // People
  'somebody comes for the first time',
  'somebody comes again',
  'an identity is linked',
  'somebody else’s identity is not linked',
  'somebody shows again who they are',
  'a proof of another account is refused',
  'an identity is unlinked',
  'the last identity stays',
  'an ended session opens nothing',
  'an operator is one by list or claim',
  'a role is granted or taken away',
  'an old sign-in makes no key',
  'a key is rotated',
  'a key does what it is for',
  'a key does not do what it is not for',
  'a key that is over opens nothing',
  // Plans
  'a period cannot be paid',
  'a plan goes on after new money',
  'a cancelled plan ends',
  'a plan ends unpaid',
  'a plan is bought',
  'a plan renews',
  'a smaller plan begins with its period',
  'a period that nobody could pay is left out',
  'a larger plan is had at once',
  'a plan is cancelled',
  // VMs
  'a machine is confirmed clean',
  'a machine is removed',
  'a VM is given',
  'a VM is stopped',
  'a VM runs again',
  'there is no machine for a VM',
  'a VM is gone',
  'a VM goes with its plan',
  'the pool is empty',
  'all VMs of a plan are in use',
  'a suspended wallet is refused',
  // Given credit
  'credit is given',
  'given credit is used up',
  'given credit expires',
  'given credit is revoked',
  'given and paid pay together',
  'given credit pays',
  'several grants pay together',
  // Wallets that run dry
  'a suspended wallet is let in once more',
  'a suspended wallet is restored',
  'a grace begins',
  'a wallet is suspended',
  'a wallet is released',
  // Outages
  'an outage is taken back',
  'an outage is given back',
  'two outages name the same VM',
  'a VM was down',
  // Processes and the database
  'a process dies inside a transaction',
  'a process dies between transactions',
  'a process works with a wrong clock',
  'the database is away for minutes',
] as const;
export type Mark = (typeof MARKS)[number];

/** So seldom that a run must be long to be blamed for not seeing them: {@link RARE_AFTER_SEEDS} lives. */
export const RARE_MARKS: ReadonlySet<Mark> = new Set([
  'an unbilled correction is billed',
  'a suspended wallet is let in once more',
  'a wallet is released',
  'a plan ends unpaid',
  'a period that nobody could pay is left out',
]);
export const RARE_AFTER_SEEDS = 300;

const LISTED: ReadonlySet<string> = new Set(MARKS);

/** The marks that one life has hit. */
export class Marks {
  readonly hit = new Set<Mark>();

  readonly mark = (mark: Mark): void => {
    if (!LISTED.has(mark)) throw new Error(`${mark} is not a listed mark`);
    this.hit.add(mark);
  };
}

/** For marks that are made of what was read: hit when listed, nothing otherwise. */
export const isMark = (text: string): text is Mark => LISTED.has(text);
