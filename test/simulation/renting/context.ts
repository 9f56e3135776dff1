import type { History, Intent } from '../history.ts';
import type { Break, Entry, LedgerModel } from '../ledger-model.ts';
import type { Mark } from '../marks.ts';
import type { Rows } from './rows.ts';

/** What everybody who judges renting looks at. */
export interface Context {
  readonly rows: Rows;
  readonly model: LedgerModel;
  readonly history: () => History;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
  readonly step: () => number;
  readonly nowMs: () => number;
}

/** Numbers of the ledger, in the oracle's own words. */
export const RENTING_KIND = {
  plan: 19,
  planReturn: 20,
  grant: 21,
  grantExpire: 22,
  grantUse: 23,
  grantReturn: 24,
  grantRevoke: 25,
} as const;

/** Calls of an operation that may have been at work at a step: begun by then, and not answered before. */
export function underWay(context: Context, operation: string, step: number): Intent[] {
  const { intents } = context.history();
  return intents.filter(
    (intent) =>
      intent.operation === operation &&
      intent.attempts.some(({ startStep, endStep }) => startStep <= step && (endStep === null || endStep >= step)),
  );
}

/** The last entry of an account, by now. */
export const lastOf = ({ model }: Context, account: bigint): Entry | undefined => model.entries.get(account)?.at(-1);

export const balanceOf = (context: Context, account: bigint): bigint => lastOf(context, account)?.balance_after ?? 0n;

/** What a wallet holds in its grants that end after an instant. */
export function givenOf(context: Context, wallet: bigint, afterMs: number): bigint {
  const open = context.rows
    .all('grant_credit')
    .filter((grant) => grant.wallet === wallet && grant.closed_at === null && grant.state === 'open');
  return open
    .filter(({ expires_at: end }) => end === null || end.getTime() > afterMs)
    .reduce((sum, { account }) => sum + balanceOf(context, account), 0n);
}
