import { deriveIdem } from '../idem.ts';
import { formatDecimal, micros } from '../money.ts';
import type { AccountId, Draw, PostingRecord } from './posting.ts';

/** An open grant of a wallet, as its locked rows say it is. Its balance is that of its account. */
export interface OpenGrant {
  readonly account: AccountId;
  readonly sid: string;
  /** Rises with each grant: the older one has the lower number. */
  readonly number: bigint;
  /** A lower one is used earlier. */
  readonly priority: number;
  /** From then on it is used no more; null: it has no end. */
  readonly expiresAt: Date | null;
}

/** In which order grants are used: what ends first, then by priority, then the older one. What has no end comes last. */
export function byBurnOrder(a: OpenGrant, b: OpenGrant): number {
  const [endOfA, endOfB] = [a.expiresAt?.getTime() ?? Infinity, b.expiresAt?.getTime() ?? Infinity];
  if (endOfA !== endOfB) return endOfA < endOfB ? -1 : 1;
  if (a.priority !== b.priority) return a.priority - b.priority;
  return a.number < b.number ? -1 : 1;
}

export const isUsable = ({ expiresAt }: Pick<OpenGrant, 'expiresAt'>, at: Date): boolean =>
  expiresAt === null || expiresAt.getTime() > at.getTime();

/** The identity of the posting that brings given credit to the wallet for another posting: that one's own, so there is one. */
export const useIdem = (idem: string): string => deriveIdem('grant.use', idem);

/** The identity of the posting that puts what another one gave back to grants. */
export const returnIdem = (idem: string): string => deriveIdem('grant.return', idem);

/** Brings what a record takes of grants to the wallet account that pays it. */
export function usePosting(record: PostingRecord, wallet: AccountId, draws: readonly Draw[]): PostingRecord {
  const sum = draws.reduce((total, { amount }) => total + amount, 0n);
  return {
    idem: useIdem(record.idem),
    fingerprint: record.fingerprint,
    kind: 'grant_use',
    legs: [
      { account: wallet, amount: micros(sum) },
      ...draws.map(({ account, amount }) => ({ account, amount: micros(-amount) })),
    ],
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: record.occurredAt,
    about: JSON.stringify({
      description: 'From given credit',
      grants: draws.map(({ grantSid, amount }) => ({ grant_sid: grantSid, amount: formatDecimal(amount) })),
      for: record.idem,
    }),
  };
}
