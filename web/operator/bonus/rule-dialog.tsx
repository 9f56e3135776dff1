import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { BonusRule } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { readAmount } from '../../ui/money.ts';
import { instantOf } from '../../ui/time.ts';
import { useToast } from '../../ui/toast.tsx';

interface Wish {
  readonly percent: string;
  readonly fixed: string;
  readonly most: string;
  readonly least: string;
  readonly days: string;
  readonly activeFrom: string;
}

const EMPTY: Wish = { percent: '', fixed: '', most: '', least: '', days: '90', activeFrom: '' };

/** The fields of this form that have room for a sentence of the server. */
const PLACES = ['percent', 'fixed', 'bonus_max', 'top_up_min', 'credit_days', 'active_from'];

export function RuleDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [wish, setWish] = useState(EMPTY);
  const [missing, setMissing] = useState<Readonly<Record<string, string>> | null>(null);
  const queries = useQueryClient();
  const say = useToast();
  const set = useMutation<BonusRule, Problem, object>({
    mutationFn: (body) => post<BonusRule>('/v1/bonus-rules', { ...body }),
    onSuccess: async () => {
      say('The rule is set.');
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/bonus-rules'] });
    },
  });
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    set.reset();
  };
  const submit = (): void => {
    if (set.isPending) return;
    const found = missingIn(wish);
    if (Object.keys(found).length === 0) set.mutate(bodyOf(wish));
    else setMissing(found);
  };
  const errorOf = (field: string): string | undefined => missing?.[field] ?? set.error?.fields.get(field);
  return (
    <Dialog title="New rule" onClose={onClose}>
      <Form refusal={missing ?? set.error} onSubmit={submit}>
        <HowMuch wish={wish} change={change} errorOf={errorOf} />
        <Limits wish={wish} change={change} errorOf={errorOf} />
        {isNothing(wish) && (
          <p className="rounded-xl bg-sunken px-4 py-3 text-sm">
            With nothing in the first two fields a first top-up is given nothing from then on.
          </p>
        )}
        <ProblemBanner problem={unplaced(set.error, (field) => PLACES.includes(field))} />
        <div className="flex justify-end">
          <Button type="submit" isBusy={set.isPending}>
            {isNothing(wish) ? 'Give nothing any more' : 'Set the rule'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

interface PartProps {
  readonly wish: Wish;
  readonly change: (part: Partial<Wish>) => void;
  readonly errorOf: (field: string) => string | undefined;
}

function HowMuch({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Field
        label="Per cent of what is paid"
        name="percent"
        inputMode="decimal"
        value={wish.percent}
        error={errorOf('percent')}
        maxLength={7}
        onChange={(percent) => change({ percent })}
      />
      <Field
        label="And besides, whatever is paid"
        name="fixed"
        prefix="$"
        inputMode="decimal"
        value={wish.fixed}
        error={errorOf('fixed')}
        maxLength={20}
        onChange={(fixed) => change({ fixed })}
      />
      <Field
        label="At most"
        name="bonus_max"
        prefix="$"
        inputMode="decimal"
        hint="Needed where a share is given."
        value={wish.most}
        error={errorOf('bonus_max')}
        maxLength={20}
        onChange={(most) => change({ most })}
      />
    </>
  );
}

function Limits({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Field
        label="For a first top-up of at least"
        name="top_up_min"
        prefix="$"
        inputMode="decimal"
        hint="Empty: for any."
        value={wish.least}
        error={errorOf('top_up_min')}
        maxLength={20}
        onChange={(least) => change({ least })}
      />
      <Field
        label="The credit lasts so many days"
        name="credit_days"
        inputMode="numeric"
        hint="Empty: it does not end."
        value={wish.days}
        error={errorOf('credit_days')}
        maxLength={4}
        onChange={(days) => change({ days })}
      />
      <Field
        label="From, if not from now on"
        name="active_from"
        type="datetime-local"
        hint="In your own time zone. It counts for payments that are begun from then on."
        value={wish.activeFrom}
        error={errorOf('active_from')}
        onChange={(activeFrom) => change({ activeFrom })}
      />
    </>
  );
}

const WHOLE = /^[1-9][0-9]*$/;
const SHARE = /^\d{1,4}(\.\d{1,2})?$/;
const isEmpty = (text: string): boolean => text.trim() === '';
const isNothing = ({ percent, fixed }: Wish): boolean =>
  [percent, fixed].every((text) => /^\$?[0.]*$/.test(text.trim()));

/** What the server would refuse anyway, said in the words of this form. */
function missingIn(wish: Wish): Readonly<Record<string, string>> {
  const amounts = { fixed: wish.fixed, bonus_max: wish.most, top_up_min: wish.least };
  const wrong = Object.entries(amounts).flatMap(([field, text]) => {
    const read = readAmount(text);
    return isEmpty(text) || 'amount' in read ? [] : [[field, read.error] as const];
  });
  const hasShare = !/^[0.]*$/.test(wish.percent.trim());
  return {
    ...(hasShare && !SHARE.test(wish.percent.trim()) && { percent: 'Write a number such as 10 or 12.50.' }),
    ...(hasShare && isEmpty(wish.most) && { bonus_max: 'Enter the most that is given.' }),
    ...(!isEmpty(wish.days) && !WHOLE.test(wish.days.trim()) && { credit_days: 'Enter a whole number from 1 on.' }),
    ...(wish.activeFrom !== '' && instantOf(wish.activeFrom) === null && { active_from: 'Choose a time.' }),
    ...Object.fromEntries(wrong),
  };
}

function bodyOf(wish: Wish): object {
  const amount = (field: string, text: string): object => {
    const read = readAmount(text);
    return 'amount' in read ? { [field]: read.amount } : {};
  };
  const activeFrom = instantOf(wish.activeFrom);
  return {
    ...(!isEmpty(wish.percent) && { percent: wish.percent.trim() }),
    ...amount('fixed', wish.fixed),
    ...amount('bonus_max', wish.most),
    ...amount('top_up_min', wish.least),
    ...(!isEmpty(wish.days) && { credit_days: Number(wish.days.trim()) }),
    ...(activeFrom !== null && { active_from: activeFrom }),
  };
}
