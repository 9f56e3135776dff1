import type { Liability } from '../../surface.ts';

export type Kind = Liability['ages'][number]['kind'];
type Age = Liability['ages'][number]['age'];

export const KINDS: Readonly<Record<Kind, string>> = {
  paid: 'Paid',
  promo: 'Promo codes and gifts',
  goodwill: 'Goodwill',
  bonus: 'Bonus',
};

export const AGES: readonly (readonly [Age, string])[] = [
  ['under_30_days', 'Under 30 days'],
  ['30_to_90_days', '30 to 90'],
  ['90_to_365_days', '90 to 365'],
  ['over_365_days', 'Over a year'],
];

/** A kind with what is left of it in each age. */
export interface AgeRow {
  readonly kind: Kind;
  readonly amounts: Readonly<Record<Age, string>>;
}

const NOTHING: AgeRow['amounts'] = {
  under_30_days: '0.00',
  '30_to_90_days': '0.00',
  '90_to_365_days': '0.00',
  over_365_days: '0.00',
};

/** One row for each kind that there is, what was paid first. */
export function agesOf({ ages }: Liability): readonly AgeRow[] {
  const kinds = Object.keys(KINDS) as Kind[];
  return kinds.flatMap((kind) => {
    const own = ages.filter((one) => one.kind === kind);
    if (own.length === 0) return [];
    return [{ kind, amounts: { ...NOTHING, ...Object.fromEntries(own.map(({ age, amount }) => [age, amount])) } }];
  });
}
