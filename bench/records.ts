import { randomFillSync } from 'node:crypto';
import { liveAccount, type PostingRecord } from '../src/domain/ledger/posting.ts';
import { micros } from '../src/domain/money.ts';
import { REVENUE, WALLETS } from './server.ts';

export type WalletChoice = 'uniform' | 'hot';

/** A usage record of ordinary size, as it would be stored. */
export const ABOUT = '{"usage":"01K4ZJ9YV3T8S6QX0M7N2C5RBD","price":"vm.small.hour","quantity":"1.5"}';

/** 4,096 keys at a time: one call into the random source for each record would cost as much as posting it. */
const random = Buffer.alloc(4096 * 20);
let at = random.length;

function refill(): void {
  if (at + 20 <= random.length) return;
  randomFillSync(random);
  at = 0;
}

/** A number from 0 below 2^32 and a UUID whose last digit is 0, both by chance: keys arrive in no order in the index. */
export function chance(): { readonly number: number; readonly idem: string } {
  refill();
  const number = random.readUInt32LE(at);
  const hex = random.toString('hex', at + 4, at + 20);
  at += 20;
  const idem = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 31)}0`;
  return { number, idem };
}

export const walletNumber = (choice: WalletChoice, number: number): number =>
  choice === 'hot' ? 1 : 1 + (number % WALLETS);

/** One debit of a few micros against revenue, at a moment of its own. */
export function debit(choice: WalletChoice, occurredAt: Date): PostingRecord {
  const { number, idem } = chance();
  const amount = BigInt(1 + (number & 1023));
  return {
    idem,
    fingerprint: idem,
    kind: 'debit',
    legs: [
      { account: liveAccount(BigInt(walletNumber(choice, number >>> 8)), 'wallet'), amount: micros(-amount) },
      { account: REVENUE, amount: micros(amount) },
    ],
    mayOverdraw: false,
    passesFreeze: false,
    occurredAt,
    about: ABOUT,
  };
}
