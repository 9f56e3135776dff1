/** What is sold in a life of renting besides what every house sells: short periods, so that a life sees many of them. */
export const PLANS_AT_FIRST: readonly Readonly<Record<string, unknown>>[] = [
  plan('week-2', '1.999999', ['day', 7], 2),
  plan('week-4', '3.50', ['day', 7], 4),
  plan('day-1', '0.70', ['day', 2], 1),
  plan('month-3', '7.77', ['month', 1], 3),
];

export const CODES = ['vm-5', 'vm-10', 'week-2', 'week-4', 'day-1', 'month-3'];
/** What most people have: the others are dear and long. */
export const COMMON = ['week-2', 'week-4', 'week-2', 'week-4', 'day-1', 'vm-5', 'vm-10', 'month-3'];

function plan(code: string, price: string, [unit, count]: readonly ['day' | 'month', number], vms: number) {
  return { code, name: `${vms} VMs`, price, period_unit: unit, period_count: count, vm_count: vms, vm_size: 'small' };
}

/** Another price, a size or a length from now on. */
export function otherVersion(
  code: string,
  draw: { readonly cents: number; readonly vms: number; readonly isLonger: boolean },
) {
  const price = `${Math.floor(draw.cents / 100)}.${String(draw.cents % 100).padStart(2, '0')}`;
  return plan(code, price, ['day', draw.isLonger ? 10 : 7], draw.vms);
}
