import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Problem, Rows } from '../../api.ts';
import { getAll } from '../../api.ts';
import type { Price } from '../../surface.ts';
import { AllRows } from '../../ui/all-rows.tsx';
import { Badge } from '../../ui/badge.tsx';
import type { Tone } from '../../ui/banner.tsx';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Card, Loading, PageTitle } from '../../ui/page.tsx';
import { Checkbox, Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { priceText } from '../../usage/price-text.ts';
import { PriceDialog } from './price-dialog.tsx';
import type { PriceState, StatedPrice } from './state.ts';
import { byCategory, stated } from './state.ts';

const ALL = '';

/** What usage costs: every price there is, was and will be, by category. */
export function OperatorPricesPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [asked, setAsked] = useState<string | null>(null);
  const [hasPast, setPast] = useState(false);
  const prices = useQuery<Rows<Price>, Problem>({
    queryKey: ['/v1/prices'],
    queryFn: ({ signal }) => getAll<Price>('/v1/prices', { signal }),
  });
  const groups = byCategory(prices.data?.items ?? []);
  const categories = groups.map(([category]) => category);
  const category = params.get('category') ?? ALL;
  const shown = groups.filter(([name]) => category === ALL || name === category);
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Prices" />
        <Button onPress={() => setAsked(category)}>New price</Button>
      </div>
      <p className="max-w-2xl text-soft">
        A price is never edited: a newer one takes its place from an instant on, and what happened before keeps the
        price of its time.
      </p>
      {categories.length > 1 && (
        <Pills
          label="Category"
          value={category}
          options={[[ALL, 'All'], ...categories.map((name) => [name, name] as const)]}
          onChange={(name) => setParams(name === ALL ? {} : { category: name }, { replace: true })}
        />
      )}
      <Checkbox label="Show prices of the past" isOn={hasPast} onChange={setPast} />
      {prices.isPending && <Loading what="the prices" />}
      {!prices.data && prices.error && <ProblemBanner problem={prices.error} retry={() => void prices.refetch()} />}
      {prices.data?.isWhole === false && (
        <Banner tone="warn">Only the newest prices are shown: there are too many for a page.</Banner>
      )}
      {prices.data && shown.length === 0 && (
        <div className="card">
          <EmptyState title="No prices so far">
            Usage is refused until its category has a price. Set one with “New price”.
          </EmptyState>
        </div>
      )}
      {shown.map(([name, all]) => (
        <Category key={name} name={name} prices={all} hasPast={hasPast} onNew={() => setAsked(name)} />
      ))}
      {asked !== null && <PriceDialog category={asked} categories={categories} onClose={() => setAsked(null)} />}
    </div>
  );
}

interface CategoryProps {
  readonly name: string;
  readonly prices: readonly Price[];
  readonly hasPast: boolean;
  readonly onNew: () => void;
}

function Category({ name, prices, hasPast, onNew }: CategoryProps): ReactElement {
  const all = stated(prices);
  const rows = hasPast ? all : all.filter(({ state }) => state !== 'past');
  const hasResources = rows.some(({ price }) => price.resource_kind !== null);
  return (
    <Card
      title={name}
      aside={
        <Button look="plain" size="small" label={`New price for ${name}`} onPress={onNew}>
          New price
        </Button>
      }
    >
      <AllRows
        what={`prices of ${name}`}
        columns={columnsOf(hasResources)}
        rows={rows}
        keyOf={({ price }) => price.sid}
      />
    </Card>
  );
}

const STATES: Readonly<Record<PriceState, readonly [Tone, string]>> = {
  active: ['good', 'Active'],
  future: ['warn', 'Future'],
  past: ['calm', 'Past'],
};

const columnsOf = (hasResources: boolean): readonly Column<StatedPrice>[] => [
  {
    title: 'For',
    cell: ({ price, state }) => (
      <>
        {price.resource_kind === null ? (
          <span className="text-soft">{hasResources ? 'everything else' : 'everything'}</span>
        ) : (
          <span className="font-medium break-all">{price.resource_kind}</span>
        )}
        <p className="mt-1 md:hidden">
          <Badge tone={STATES[state][0]} text={STATES[state][1]} />
        </p>
      </>
    ),
  },
  {
    title: 'State',
    isExtra: true,
    cell: ({ state }) => <Badge tone={STATES[state][0]} text={STATES[state][1]} />,
  },
  { title: 'From', isExtra: true, cell: ({ price }) => <Time at={price.active_from} /> },
  {
    title: 'Price',
    isAmount: true,
    cell: ({ price }) => (
      <>
        <span className="font-medium tabular-nums">{priceText(price)}</span>
        <p className="mt-0.5 text-xs text-soft md:hidden">
          from <Time at={price.active_from} />
        </p>
      </>
    ),
  },
];
