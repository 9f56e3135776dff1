import { AGES, ageOf, type Age } from '../../domain/movement/movement.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { clearingBalance, listUnexplained, sumStatement, type StatementRead } from '../../store/statement-read.ts';
import type { House } from '../house.ts';

/** Items of one report at most; the oldest come first, and the sums speak of all that is shown. */
const ITEMS_MAX = 500;

/** What a provider's statement says beside our books. Amounts are decimal US dollars, signed as the provider's statement is. */
export interface AccountReport {
  readonly provider: string;
  readonly account: string;
  readonly read_from: string;
  readonly read_up_to: string;
  readonly lines: number;
  /** What the lines come to: without fees, the fees, and both. */
  readonly moved: string;
  readonly fees: string;
  readonly statement: string;
  /** What our books say the provider holds for us. */
  readonly books: string;
  /** `statement` − `books`. */
  readonly unexplained: string;
  readonly by_age: readonly { readonly age: Age; readonly items: number; readonly amount: string }[];
  /** What the items below do not explain either. Always zero, unless the ledger or this report is wrong. */
  readonly remainder: string;
  readonly items: readonly {
    readonly side: 'statement' | 'books';
    readonly sid: string;
    readonly kind: string;
    readonly ref: string;
    readonly amount: string;
    readonly at: string;
    readonly reason: string | null;
  }[];
}

/** Compares one provider account's statement, as far as it was read, with our books. One snapshot for all of it. */
export async function reportOn(house: House, read: StatementRead): Promise<AccountReport> {
  const { moved, fees, lines, clearing, items } = await house.db.transaction('reconciliation.report', async (tx) => ({
    ...(await sumStatement(tx, read)),
    clearing: await clearingBalance(tx, read.provider),
    items: await listUnexplained(tx, read, ITEMS_MAX),
  }));
  const now = house.ports.clock.now();
  const statement = moved - fees;
  const unexplained = statement + clearing;
  const explained = items.reduce((sum, { difference }) => sum + difference, 0n);
  return {
    provider: read.provider,
    account: read.account,
    read_from: read.fromAt.toISOString(),
    read_up_to: read.upTo.toISOString(),
    lines: Number(lines),
    moved: formatDecimal(moved),
    fees: formatDecimal(fees),
    statement: formatDecimal(micros(statement)),
    books: formatDecimal(micros(0n - clearing)),
    unexplained: formatDecimal(micros(unexplained)),
    by_age: AGES.map(({ name }) => {
      const aged = items.filter(({ at }) => ageOf(at, now) === name);
      const amount = micros(aged.reduce((sum, { difference }) => sum + difference, 0n));
      return { age: name, items: aged.length, amount: formatDecimal(amount) };
    }),
    remainder: formatDecimal(micros(unexplained - explained)),
    items: items.map(({ difference, at, ...item }) => ({
      ...item,
      amount: formatDecimal(difference),
      at: at.toISOString(),
    })),
  };
}
