import { assert, Bug } from '../assert.ts';
import type { Micros } from '../money.ts';
import { FRACTIONS_PER_MICRO, isLive, type AccountId, type Leg, type PostingRecord } from './posting.ts';

/** What one record says by itself, before anything of the accounts is known. */

/** What a record does to one account. Summed leg by leg, for there are at most 16 and mostly one: a Map costs more. */
export function sumOn(record: PostingRecord, account: AccountId): bigint {
  let sum = 0n;
  for (const leg of record.legs) if (leg.account === account) sum += leg.amount;
  return sum;
}

/** What a record takes out of its budget; negative: puts back. */
export function takenOf(record: PostingRecord): bigint {
  const account = record.budget?.account;
  return account === undefined ? costOf(record) : -sumOn(record, account);
}

/** What a record takes from live accounts, in whole micro-dollars. */
export function costOf(record: PostingRecord): bigint {
  let sum = 0n;
  for (const leg of record.legs) if (isLive(leg.account) && leg.amount < 0n) sum -= leg.amount;
  return sum;
}

/** The other side: the first leg of the opposite sign. With several of them `about` carries the rest. */
export function contraOf(legs: readonly Leg[], account: AccountId, amount: Micros): AccountId {
  let other: Leg | undefined;
  for (const leg of legs) {
    if (leg.account === account) continue;
    if (leg.amount > 0n !== amount > 0n) return leg.account;
    other ??= leg;
  }
  assert(other !== undefined, 'a posting has another side');
  return other.account;
}

/** A record that does not balance is a bug of its maker, never an input error: it stops here, before anything is written. */
export function assertBalanced(record: PostingRecord): void {
  const { fraction } = record;
  let sum = 0n;
  let live = 0;
  let sides = 0;
  for (const { account, amount } of record.legs) {
    assert(amount !== 0n || fraction !== undefined, 'a leg moves something');
    sum += amount;
    if (isLive(account)) live += 1;
    if (account === fraction?.payer || account === fraction?.payee) sides += 1;
  }
  if (sum !== 0n) throw new Bug(`a posting sums to zero, this one to ${sum}`);
  assert(live >= 1 && live <= 16, 'a posting has 1 to 16 legs on live accounts');
  assert(record.idem.endsWith('0'), 'the last digit of idem is the number of the leg');
  if (!fraction) return;
  assert(fraction.parts >= 0n && fraction.parts < FRACTIONS_PER_MICRO, 'a fraction is less than a micro-dollar');
  assert(isLive(fraction.payer) && sides === 2, 'a fraction is paid by one leg to another');
}
