import { amountText } from './money.ts';
import type { ClickPesaState } from './state.ts';

interface Line {
  readonly date: string;
  readonly description: string;
  readonly entry: 'Credit' | 'Debit';
  readonly hundredths: number;
  readonly currency: string;
  readonly orderReference: string;
}

const CAME = new Set(['SUCCESS', 'SETTLED', 'REFUNDED', 'REVERSED']);
const WENT_BACK = new Set(['REFUNDED', 'REVERSED']);
const PAYOUT_RETURNED = new Set(['REFUNDED', 'REVERSED', 'FAILED']);

/** Every movement of the account's money, made anew of the rows each time. */
function linesOf({ payments, payouts }: ClickPesaState): Line[] {
  const lines: Line[] = [];
  for (const it of payments.values()) {
    const line = { currency: it.currency, hundredths: it.hundredths, orderReference: it.reference };
    if (CAME.has(it.status)) lines.push({ ...line, date: it.createdAt, description: 'Payment', entry: 'Credit' });
    if (WENT_BACK.has(it.status)) lines.push({ ...line, date: it.updatedAt, description: 'Returned', entry: 'Debit' });
  }
  for (const it of payouts.values()) {
    const line = { currency: it.currency, orderReference: it.reference, date: it.createdAt };
    lines.push({ ...line, hundredths: it.hundredths, description: 'Payout', entry: 'Debit' });
    lines.push({ ...line, hundredths: it.feeHundredths, description: 'Payout fee', entry: 'Debit' });
    if (PAYOUT_RETURNED.has(it.status)) {
      lines.push({
        ...line,
        date: it.updatedAt,
        hundredths: it.hundredths,
        description: 'Payout back',
        entry: 'Credit',
      });
    }
  }
  return lines.toSorted((one, other) => (one.date < other.date ? -1 : 1));
}

export interface Statement {
  readonly accountDetails: { readonly currency: string; readonly closingBalance: string };
  readonly transactions: readonly object[];
  readonly balances: readonly { readonly currency: string; readonly balance: string }[];
}

export function statement(state: ClickPesaState, currency = 'USD'): Statement {
  const lines = linesOf(state);
  const balanceOf = (of: string): number =>
    lines
      .filter((line) => line.currency === of)
      .reduce((sum, { entry, hundredths }) => sum + (entry === 'Credit' ? hundredths : -hundredths), 0);
  return {
    accountDetails: { currency, closingBalance: amountText(balanceOf(currency)) },
    transactions: lines
      .filter((line) => line.currency === currency)
      .map(({ date, description, entry, orderReference, hundredths }) => ({
        date,
        description,
        entry,
        orderReference,
        amount: Number(amountText(hundredths)),
      })),
    balances: ['TZS', 'USD'].map((of) => ({ currency: of, balance: amountText(balanceOf(of)) })),
  };
}
