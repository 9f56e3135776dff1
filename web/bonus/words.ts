import type { BonusRule } from '../surface.ts';
import { formatMoney, isZero } from '../ui/money.ts';
import { isPast } from '../ui/time.ts';

export const givesNothing = ({ percent, fixed }: Pick<BonusRule, 'percent' | 'fixed'>): boolean =>
  Number(percent) === 0 && isZero(fixed);

/** The rule that began last; null: none has begun. */
export function presentRule(rules: readonly BonusRule[]): BonusRule | null {
  const begun = rules.filter(({ active_from: from }) => isPast(from));
  return begun.toSorted((one, other) => Date.parse(other.active_from) - Date.parse(one.active_from))[0] ?? null;
}

/** "10 %, $5.00 at most" · "$2.00" · "$1.00 and 10 %, $5.00 at most" */
export function shareText({ percent, fixed, bonus_max: most }: BonusRule): string {
  const parts = [
    ...(isZero(fixed) ? [] : [formatMoney(fixed)]),
    ...(Number(percent) === 0 ? [] : [`${percent.replace(/\.?0+$/, '')} %`]),
  ];
  return `${parts.join(' and ')}${most === null ? '' : `, ${formatMoney(most)} at most`}`;
}
