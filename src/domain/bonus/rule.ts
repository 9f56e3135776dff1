import { MICROS_PER_CENT, micros, type Micros } from '../money.ts';

/** What a first top-up is given besides, from an instant on. */
export interface BonusRule {
  readonly sid: string;
  /** Hundredths of a per cent of what was paid: 1000 is 10 %. */
  readonly percent: number;
  /** What is given whatever was paid. */
  readonly fixed: Micros;
  /** A first top-up below it is given nothing. */
  readonly topUpMin: Micros;
  /** The most that is given; null: no limit. */
  readonly bonusMax: Micros | null;
  /** How long the credit lasts; null: it does not end. */
  readonly creditDays: number | null;
  readonly activeFrom: Date;
}

const PERCENT_PARTS = 10_000n;

/** What a first top-up of so much is given. Whole cents, rounded down: a bonus is advertised, not measured. Zero: nothing. */
export function bonusOf(rule: BonusRule, paid: bigint): Micros {
  if (paid < rule.topUpMin) return micros(0n);
  const share = (paid * BigInt(rule.percent)) / PERCENT_PARTS;
  const whole = rule.fixed + share - ((rule.fixed + share) % MICROS_PER_CENT);
  return micros(rule.bonusMax !== null && whole > rule.bonusMax ? rule.bonusMax : whole);
}

/** Whether the rule gives anything to anybody: one that does not ends the one before. */
export const givesAnything = ({ percent, fixed }: Pick<BonusRule, 'percent' | 'fixed'>): boolean =>
  percent > 0 || fixed > 0n;
