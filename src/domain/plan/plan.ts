import type { Micros } from '../money.ts';
import type { PeriodLength } from './period.ts';

/** One version of what can be bought. Never edited: a change is a later version. */
export interface Plan {
  readonly sid: string;
  /** What is bought, whatever its version. */
  readonly code: string;
  readonly version: number;
  readonly name: string;
  /** For one period. */
  readonly price: Micros;
  readonly period: PeriodLength;
  readonly vmCount: number;
  readonly vmSize: string;
  readonly includes: readonly string[];
  /** False: from this version on it is not sold. */
  readonly isForSale: boolean;
  readonly activeFrom: Date;
}

/** The version that somebody who buys at an instant gets; null: there is none, or it is not for sale then. */
export function planForSale(versions: readonly Plan[], code: string, at: Date): Plan | null {
  const newest = newestOf(versions, code, at);
  return newest?.isForSale === true ? newest : null;
}

/**
 * The version that a period has which begins at an instant, for whoever has the plan already: the end of its selling does not end it.
 * Null: it was never for sale.
 */
export const planToRenew = (versions: readonly Plan[], code: string, at: Date): Plan | null =>
  newestOf(
    versions.filter(({ isForSale }) => isForSale),
    code,
    at,
  );

function newestOf(versions: readonly Plan[], code: string, at: Date): Plan | null {
  let newest: Plan | null = null;
  for (const plan of versions) {
    if (plan.code !== code || plan.activeFrom > at) continue;
    if (newest === null || plan.activeFrom > newest.activeFrom) newest = plan;
  }
  return newest;
}
