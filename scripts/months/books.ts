import type { Output } from '../../client/client.ts';
import { MONTH_DAYS, MONTHS } from './story.ts';
import { dollars, microsOf, type World } from './world.ts';

export type Line = Output<'billing.statement'>['items'][number];
export type Told = Output<'event.list'>['items'][number];
type Grant = Output<'grant.list'>['items'][number];

const PAGE = 200;

/** What a month came to, in micro-dollars; `other` is what the columns before it do not name. */
export interface Month {
  readonly number: number;
  readonly from: string;
  readonly until: string;
  readonly topUps: bigint;
  readonly usage: bigint;
  readonly plans: bigint;
  readonly givenUsed: bigint;
  readonly returned: bigint;
  readonly other: bigint;
  readonly balance: bigint;
}

/** Two ways to the same number. */
export interface Proof {
  readonly what: string;
  readonly table: bigint;
  readonly elsewhere: bigint;
}

export interface Books {
  readonly lines: readonly Line[];
  readonly events: readonly Told[];
  readonly grants: readonly Grant[];
  readonly months: readonly Month[];
  readonly total: Month;
  readonly proofs: readonly Proof[];
}

type Page<T> = { readonly items: readonly T[]; readonly next_cursor: string | null };

async function all<T>(ask: (cursor: { readonly cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<T> = await ask(cursor === '' ? {} : { cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

/** What is told now, the oldest first: the service forgets events after some weeks, so whoever wants all of them asks now and then. */
export async function readEvents(world: World): Promise<Told[]> {
  const page = { wallet_sid: world.recall('wallet'), limit: PAGE };
  return (await world.operator.call('event.list', page)).items.toReversed();
}

/** Reads what the service says of the wallet, makes the table of it, and holds its sums against what other records say. */
export async function readBooks(world: World, events: readonly Told[]): Promise<Books> {
  const { operator } = world;
  const sid = world.recall('wallet');
  const lines = await all((cursor) => operator.call('billing.statement', { sid, limit: PAGE, ...cursor }));
  const grants = await all((cursor) => operator.call('grant.list', { wallet_sid: sid, limit: PAGE, ...cursor }));
  const months = monthsOf(world, lines.toReversed());
  const total = totalOf(months);
  return {
    lines: lines.toReversed(),
    events,
    grants,
    months,
    total,
    proofs: await prove(world, total, grants),
  };
}

const COLUMN_OF: Readonly<Record<string, 'topUps' | 'usage' | 'plans' | 'givenUsed' | 'returned'>> = {
  top_up: 'topUps',
  usage: 'usage',
  plan: 'plans',
  grant_use: 'givenUsed',
  plan_return: 'returned',
};

function monthsOf(world: World, lines: readonly Line[]): Month[] {
  let balance = 0n;
  return Array.from({ length: MONTHS }, (_, index) => {
    const sums = { topUps: 0n, usage: 0n, plans: 0n, givenUsed: 0n, returned: 0n, other: 0n };
    for (const line of lines) {
      const month = Math.min(MONTHS - 1, Math.floor(world.dayOf(line.recorded_at) / MONTH_DAYS));
      if (month !== index) continue;
      sums[COLUMN_OF[line.kind] ?? 'other'] += microsOf(line.amount);
    }
    balance += sums.topUps + sums.usage + sums.plans + sums.givenUsed + sums.returned + sums.other;
    const day = (days: number): string => world.at(days).toISOString().slice(0, 10);
    return {
      number: index + 1,
      from: day(index * MONTH_DAYS),
      until: day((index + 1) * MONTH_DAYS - 1),
      ...sums,
      balance,
    };
  });
}

function totalOf(months: readonly Month[]): Month {
  const sum = (column: 'topUps' | 'usage' | 'plans' | 'givenUsed' | 'returned' | 'other'): bigint =>
    months.reduce((total, month) => total + month[column], 0n);
  return {
    number: 0,
    from: months[0]?.from ?? '',
    until: months.at(-1)?.until ?? '',
    topUps: sum('topUps'),
    usage: sum('usage'),
    plans: sum('plans'),
    givenUsed: sum('givenUsed'),
    returned: sum('returned'),
    other: sum('other'),
    balance: months.at(-1)?.balance ?? 0n,
  };
}

const summed = (amounts: readonly (string | null)[]): bigint =>
  amounts.reduce((total, amount) => total + microsOf(amount ?? '0'), 0n);

async function prove(world: World, total: Month, grants: readonly Grant[]): Promise<Proof[]> {
  const { operator } = world;
  const sid = world.recall('wallet');
  const billing = await operator.call('billing.get', { sid });
  const payments = await all((cursor) => operator.call('payment.list', { wallet_sid: sid, limit: PAGE, ...cursor }));
  const days = { from: total.from, until: total.until };
  const usage = await all((cursor) => operator.call('usage.summary', { sid, by: 'category', ...days, ...cursor }));
  const plans = await all((cursor) => operator.call('subscription.list', { wallet_sid: sid, ...cursor }));
  const periods = await Promise.all(plans.map((plan) => operator.call('subscription.get', { sid: plan.sid })));
  const outages = await all((cursor) => operator.call('outage.list', { ...cursor }));
  const given = summed(grants.map(({ amount }) => amount));
  return [
    { what: 'top-ups, by the payments', table: total.topUps, elsewhere: summed(payments.map((one) => one.credited)) },
    {
      what: 'top-ups, by what the wallet has paid in for life',
      table: total.topUps,
      elsewhere: BigInt(billing.lifetime_paid_cents) * 10_000n,
    },
    { what: 'usage, by its days', table: -total.usage, elsewhere: summed(usage.map(({ charge }) => charge)) },
    {
      what: 'plans, by the periods that were paid',
      table: -total.plans,
      elsewhere: summed(periods.flatMap((plan) => plan.periods.map(({ paid }) => paid))),
    },
    {
      what: 'given back, by the outages',
      table: total.returned,
      elsewhere: summed(outages.map((one) => one.returned)),
    },
    {
      what: 'given credit that was used, by the grants',
      table: total.givenUsed,
      elsewhere: summed(grants.map((one) => one.used)),
    },
    {
      what: 'given credit: used, taken back and left',
      table: given,
      elsewhere: summed(grants.flatMap((one) => [one.used, one.taken_back, one.left])),
    },
    {
      what: 'the balance at the end, by the wallet',
      table: total.balance,
      elsewhere: microsOf(billing.credit_balance),
    },
  ];
}

/** Throws with every sum that does not hold. */
export function insist({ proofs, total }: Books): void {
  const wrong = proofs.filter(({ table, elsewhere }) => table !== elsewhere);
  if (total.other !== 0n)
    wrong.push({ what: 'lines of a kind that the table does not name', table: total.other, elsewhere: 0n });
  if (wrong.length === 0) return;
  const told = wrong.map(
    ({ what, table, elsewhere }) => `${what}: ${dollars(table)} here, ${dollars(elsewhere)} there`,
  );
  throw new Error(`The table does not agree with the books:\n${told.join('\n')}`);
}
