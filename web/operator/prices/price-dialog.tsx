import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { Price } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Select } from '../../ui/select.tsx';
import { instantOf } from '../../ui/time.ts';
import { useToast } from '../../ui/toast.tsx';
import { priceText } from '../../usage/price-text.ts';
import type { AskedPrice } from './example.ts';
import { exampleOf } from './example.ts';

interface Wish extends AskedPrice {
  readonly category: string;
  readonly resource: string;
  readonly start: 'now' | 'later';
  readonly activeFrom: string;
}

const KINDS = [
  ['per_hour', 'for each hour'],
  ['per_unit', 'for each unit'],
  ['cost_plus', 'the provider’s cost and a margin'],
] as const;

/** The fields of this form that have room for a sentence of the server. */
const PLACES = ['category', 'resource_kind', 'unit', 'amount', 'margin_percent', 'active_from'];

interface PriceDialogProps {
  readonly category: string;
  readonly categories: readonly string[];
  readonly onClose: () => void;
}

export function PriceDialog({ category, categories, onClose }: PriceDialogProps): ReactElement {
  const [wish, setWish] = useState<Wish>({
    category,
    resource: '',
    kind: 'per_hour',
    unit: '',
    amount: '',
    margin: '0',
    start: 'now',
    activeFrom: '',
  });
  const [missing, setMissing] = useState<Readonly<Record<string, string>> | null>(null);
  const { create, isBusy, problem, reset } = useCreate(onClose);
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    reset();
  };
  const submit = (): void => {
    if (isBusy) return;
    const found = missingIn(wish);
    if (Object.keys(found).length === 0) create(bodyOf(wish));
    else setMissing(found);
  };
  const errorOf = (field: string): string | undefined => missing?.[field] ?? problem?.fields.get(field);
  return (
    <Dialog title="New price" onClose={onClose}>
      <Form refusal={missing ?? problem} onSubmit={submit}>
        <What wish={wish} categories={categories} change={change} errorOf={errorOf} />
        <HowMuch wish={wish} change={change} errorOf={errorOf} />
        <FromWhen wish={wish} change={change} errorOf={errorOf} />
        <p className="rounded-xl bg-sunken px-4 py-3 text-sm" aria-live="polite" data-testid="price-example">
          {exampleOf(wish) ?? 'Fill in the price to see an example here.'}
        </p>
        <ProblemBanner problem={unplaced(problem, (field) => PLACES.includes(field))} />
        <div className="flex justify-end">
          <Button type="submit" isBusy={isBusy}>
            Set the price
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function useCreate(onDone: () => void): {
  readonly create: (body: object) => void;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly reset: () => void;
} {
  const queries = useQueryClient();
  const say = useToast();
  const { mutate, isPending, error, reset } = useMutation<Price, Problem, object>({
    mutationFn: (body) => post<Price>('/v1/prices', { ...body }),
    onSuccess: async (price) => {
      say(`${price.resource_kind ?? price.category}: ${priceText(price)}.`);
      onDone();
      await queries.invalidateQueries({ queryKey: ['/v1/prices'] });
    },
  });
  return { create: mutate, isBusy: isPending, problem: error, reset };
}

/** What the server would refuse anyway, said in the words of this form. */
function missingIn(wish: Wish): Readonly<Record<string, string>> {
  return {
    ...(wish.category.trim() === '' && { category: 'Enter the category that nodes report, for example vm.' }),
    ...(wish.kind === 'per_unit' && wish.unit.trim() === '' && { unit: 'Enter what is counted, for example token.' }),
    ...(wish.kind !== 'cost_plus' && wish.amount.trim() === '' && { amount: 'Enter an amount.' }),
    ...(wish.start === 'later' && instantOf(wish.activeFrom) === null && { active_from: 'Choose a time.' }),
  };
}

function bodyOf(wish: Wish): object {
  const resource = wish.resource.trim();
  return {
    category: wish.category.trim(),
    ...(resource !== '' && { resource_kind: resource }),
    kind: wish.kind,
    unit: UNITS[wish.kind] ?? wish.unit.trim(),
    ...(wish.kind !== 'cost_plus' && { amount: wish.amount.trim().replace(/^\$/, '') }),
    margin_percent: wish.margin.trim() === '' ? '0' : wish.margin.trim(),
    ...(wish.start === 'later' && { active_from: instantOf(wish.activeFrom) }),
  };
}

/** Kinds whose unit is always the same. */
const UNITS: Readonly<Partial<Record<AskedPrice['kind'], string>>> = { per_hour: 'hour', cost_plus: 'call' };

interface PartProps {
  readonly wish: Wish;
  readonly change: (part: Partial<Wish>) => void;
  readonly errorOf: (field: string) => string | undefined;
}

function What({
  wish,
  categories,
  change,
  errorOf,
}: PartProps & { readonly categories: readonly string[] }): ReactElement {
  return (
    <>
      <Field
        label="Category"
        name="category"
        hint="As nodes report it: small letters, digits and _."
        value={wish.category}
        error={errorOf('category')}
        suggestions={categories}
        isRequired
        maxLength={32}
        onChange={(category) => change({ category })}
      />
      <Field
        label="Only for this resource, if you like"
        name="resource_kind"
        hint="A size or a model. Left empty it is the price of everything in the category without one of its own."
        value={wish.resource}
        error={errorOf('resource_kind')}
        maxLength={100}
        onChange={(resource) => change({ resource })}
      />
    </>
  );
}

function HowMuch({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Select
        label="It is charged"
        name="kind"
        value={wish.kind}
        options={KINDS}
        hint="Prices by tiers and by packages are set on the command line, with “price create”."
        onChange={(kind) => change({ kind })}
      />
      {wish.kind === 'per_unit' && (
        <Field
          label="Unit"
          name="unit"
          hint="What a quantity of 1 is: token, call, gib_month."
          value={wish.unit}
          error={errorOf('unit')}
          isRequired
          maxLength={32}
          onChange={(unit) => change({ unit })}
        />
      )}
      {wish.kind !== 'cost_plus' && (
        <Field
          label={wish.kind === 'per_hour' ? 'US dollars an hour' : 'US dollars a unit'}
          name="amount"
          prefix="$"
          inputMode="decimal"
          hint="At most 12 digits after the point."
          value={wish.amount}
          error={errorOf('amount')}
          isRequired
          maxLength={30}
          onChange={(amount) => change({ amount })}
        />
      )}
      <Field
        label="Margin on top, in per cent"
        name="margin_percent"
        inputMode="decimal"
        value={wish.margin}
        error={errorOf('margin_percent')}
        maxLength={6}
        onChange={(margin) => change({ margin })}
      />
    </>
  );
}

function FromWhen({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Select
        label="It counts"
        name="start"
        value={wish.start}
        options={[
          ['now', 'from now on'],
          ['later', 'from a time that I choose'],
        ]}
        onChange={(start) => change({ start })}
      />
      {wish.start === 'later' && (
        <Field
          label="From"
          name="active_from"
          type="datetime-local"
          hint="In your own time zone."
          value={wish.activeFrom}
          error={errorOf('active_from')}
          isRequired
          onChange={(activeFrom) => change({ activeFrom })}
        />
      )}
    </>
  );
}
