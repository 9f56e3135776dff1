import type { Length } from './calendar.ts';
import type { Version } from './tenant.ts';

const THIRTY_DAYS: Length = { unit: 'day', count: 30 };
const MONTH: Length = { unit: 'month', count: 1 };
const WEEK: Length = { unit: 'day', count: 7 };

/** What every house sells from its first day. */
export const PLANS_AT_FIRST: readonly Version[] = [
  {
    code: 'vm-5',
    version: 1,
    price: 10_000_000n,
    length: THIRTY_DAYS,
    vms: 5,
    isForSale: true,
    fromMs: Date.UTC(2020, 0, 1),
  },
  {
    code: 'vm-10',
    version: 1,
    price: 20_000_000n,
    length: THIRTY_DAYS,
    vms: 10,
    isForSale: true,
    fromMs: Date.UTC(2020, 0, 1),
  },
];

export interface PlanSet {
  readonly code: string;
  readonly dollars: string;
  readonly length: Length;
  readonly vms: number;
  /** Null: it is sold no more. */
  readonly input: Readonly<Record<string, unknown>> | null;
}

const sell = (code: string, dollars: string, length: Length, vms: number): PlanSet => ({
  code,
  dollars,
  length,
  vms,
  input: {
    code,
    name: `${vms} VMs`,
    price: dollars,
    period_unit: length.unit,
    period_count: length.count,
    vm_count: vms,
    vm_size: 'small',
  },
});

const withdraw = (code: string): PlanSet => ({ ...sell(code, '0', MONTH, 1), input: null });

/** By day: months of the calendar and weeks from the first day on; later other prices, fewer VMs, other lengths, and two that are sold no more. */
const SETS: Readonly<Record<number, readonly PlanSet[]>> = {
  0: [sell('month-3', '7.77', MONTH, 3), sell('week-2', '1.999999', WEEK, 2)],
  100: [sell('vm-5', '11.111111', THIRTY_DAYS, 5)],
  170: [sell('month-3', '8.01', MONTH, 4)],
  230: [sell('vm-10', '19.00', THIRTY_DAYS, 9)],
  250: [withdraw('week-2')],
  270: [sell('vm-10', '24.00', MONTH, 12)],
  290: [sell('week-2', '2.50', WEEK, 1)],
  310: [withdraw('vm-5')],
};

export const setsOn = (day: number): readonly PlanSet[] => SETS[day] ?? [];
export const CODES = ['vm-5', 'vm-10', 'month-3', 'week-2'];

interface Made {
  readonly number: number;
  readonly fromMs: number;
  /** The version before it. */
  readonly before: Version | undefined;
}

/** What became of it when it was asked for. One that ends the selling is as the one before. */
export function versionOf({ code, dollars, length, vms, input }: PlanSet, { number, fromMs, before }: Made): Version {
  const [whole = '0', decimals = ''] = dollars.split('.');
  const price = BigInt(whole + decimals.padEnd(6, '0'));
  const about = input === null && before ? before : { price, length, vms };
  return { ...about, code, version: number, isForSale: input !== null, fromMs };
}
