import { aggregateSuite } from './aggregate.ts';
import { allocations } from './allocations.ts';
import { autoReleaseSuite } from './auto-release.ts';
import { balanceAdjust } from './balance-adjust.ts';
import { discountLadder } from './discount-ladder.ts';
import { payments } from './payments.ts';
import { cryptoPayments } from './payments-crypto.ts';
import { mobilePayments } from './payments-mobile.ts';
import { plans } from './plans.ts';
import { recordUsage } from './record-usage.ts';
import type { SmokeCheck } from './suite.ts';

/** By name, in the order in which they run. */
export const SUITES = new Map<string, readonly SmokeCheck[]>([
  ['balance-adjust', balanceAdjust],
  ['payments', [...payments, ...mobilePayments, ...cryptoPayments]],
  ['record-usage', recordUsage],
  ['discount-ladder', discountLadder],
  ['aggregate', aggregateSuite],
  // They move the clock of the sandbox, and everybody after them lives in that time.
  ['plans', plans],
  ['allocations', allocations],
  ['auto-release', autoReleaseSuite],
]);
