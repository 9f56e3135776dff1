import type { ReactElement } from 'react';
import { cx } from './class-names.ts';
import { floorToCents, formatMoney, isFinerThanCents, isNegative, isZero, sayMoney } from './money.ts';

interface MoneyProps {
  readonly amount: string;
  readonly currency?: string;
  /** Marks money that came in: "+$25.00", in green. */
  readonly isChange?: boolean;
}

/** An exact amount: to the cent, or as fine as it is. */
export function Money({ amount, currency = 'USD', isChange = false }: MoneyProps): ReactElement {
  const shown = formatMoney(amount, { currency, plus: isChange });
  const className = cx('amount', isChange && !isNegative(amount) && !isZero(amount) && 'text-good');
  if (!isNegative(amount)) return <span className={className}>{shown}</span>;
  return (
    <span className={className}>
      <span aria-hidden="true">{shown}</span>
      <span className="sr-only">{sayMoney(amount, { currency })}</span>
    </span>
  );
}

/** A balance: whole cents at first sight, never more than there is; the exact figure on hover and, with `exactly`, below. */
export function Balance({
  amount,
  currency = 'USD',
}: {
  readonly amount: string;
  readonly currency?: string;
}): ReactElement {
  return (
    <span title={isFinerThanCents(amount) ? `exactly ${formatMoney(amount, { currency })}` : undefined}>
      <Money amount={floorToCents(amount)} currency={currency} />
    </span>
  );
}
