import { micros, type Micros } from '../money.ts';
import { sharedBy, type Span } from './outage.ts';

/** A stretch of time that a plan was paid for, and what a VM's time cost in it. */
export interface PaidTime extends Span {
  /** Of the whole period. */
  readonly price: Micros;
  readonly wholeMs: bigint;
  /** The VMs among which the price is divided, whether they were allocated or not. */
  readonly vmCount: number;
}

/** What a VM that was down is given back. */
export interface DownShare {
  readonly amount: Micros;
  /** Down and paid for. */
  readonly downMs: number;
}

/**
 * The part of the plan's price that belongs to one VM for the time in which it was down, exact to the millisecond.
 *
 * `down` must not overlap itself. Time that nobody paid for is worth nothing. Rounding: up to a whole micro-dollar for each stretch of paid
 * time, as everything that is given back for time.
 */
export function shareOfDown(down: readonly Span[], paid: readonly PaidTime[]): DownShare {
  let [amount, downMs] = [0n, 0n];
  for (const time of paid) {
    const ms = down.reduce((sum, span) => sum + lengthOf(sharedBy(span, time)), 0n);
    if (ms === 0n || time.wholeMs === 0n) continue;
    const [worth, divisor] = [time.price * ms, time.wholeMs * BigInt(time.vmCount)];
    amount += (worth + divisor - 1n) / divisor;
    downMs += ms;
  }
  return { amount: micros(amount), downMs: Number(downMs) };
}

const lengthOf = (span: Span | null): bigint =>
  span === null ? 0n : BigInt(span.until.getTime() - span.from.getTime());
