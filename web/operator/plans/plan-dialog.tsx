import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { Plan } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Select } from '../../ui/select.tsx';
import { instantOf } from '../../ui/time.ts';
import { useToast } from '../../ui/toast.tsx';

interface Wish {
  readonly code: string;
  readonly name: string;
  readonly price: string;
  readonly unit: 'day' | 'month';
  readonly count: string;
  readonly vms: string;
  readonly size: string;
  readonly includes: string;
  readonly activeFrom: string;
}

/** The fields of this form that have room for a sentence of the server. */
const PLACES = ['code', 'name', 'price', 'period_count', 'vm_count', 'vm_size', 'includes', 'active_from'];

const UNITS = [
  ['day', 'days of 24 hours'],
  ['month', 'months of the calendar'],
] as const;

const wishLike = (plan: Plan | null): Wish => ({
  code: plan?.code ?? '',
  name: plan?.name ?? '',
  price: plan?.price ?? '',
  unit: plan?.period_unit ?? 'day',
  count: String(plan?.period_count ?? 30),
  vms: plan === null ? '' : String(plan.vm_count),
  size: plan?.vm_size ?? 'small',
  includes: plan?.includes.join('\n') ?? '',
  activeFrom: '',
});

interface PlanDialogProps {
  /** What is written in the form at first; null: a plan that there was not. */
  readonly like: Plan | null;
  readonly onClose: () => void;
}

export function PlanDialog({ like, onClose }: PlanDialogProps): ReactElement {
  const [wish, setWish] = useState(() => wishLike(like));
  const [missing, setMissing] = useState<Readonly<Record<string, string>> | null>(null);
  const queries = useQueryClient();
  const say = useToast();
  const create = useMutation<Plan, Problem, object>({
    mutationFn: (body) => post<Plan>('/v1/plans', { ...body }),
    onSuccess: async (plan) => {
      say(`${plan.name}, version ${plan.version}, is made.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/plans'] });
    },
  });
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    create.reset();
  };
  const submit = (): void => {
    if (create.isPending) return;
    const found = missingIn(wish);
    if (Object.keys(found).length === 0) create.mutate(bodyOf(wish));
    else setMissing(found);
  };
  const errorOf = (field: string): string | undefined => missing?.[field] ?? create.error?.fields.get(field);
  return (
    <Dialog title={like === null ? 'New plan' : `New version of ${like.code}`} onClose={onClose}>
      <Form refusal={missing ?? create.error} onSubmit={submit}>
        {like === null && (
          <Field
            label="Code"
            name="code"
            hint="What programs call it, for example vm-5. It stays the same for all versions."
            value={wish.code}
            error={errorOf('code')}
            isRequired
            maxLength={32}
            onChange={(code) => change({ code })}
          />
        )}
        <What wish={wish} change={change} errorOf={errorOf} />
        <HowMuch wish={wish} change={change} errorOf={errorOf} />
        <ProblemBanner problem={unplaced(create.error, (field) => PLACES.includes(field))} />
        <div className="flex justify-end">
          <Button type="submit" isBusy={create.isPending}>
            {like === null ? 'Make the plan' : 'Make the version'}
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

function What({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Field
        label="Name"
        name="name"
        hint="What buyers read: 5 VMs."
        value={wish.name}
        error={errorOf('name')}
        isRequired
        maxLength={100}
        onChange={(name) => change({ name })}
      />
      <Field
        label="VMs at a time"
        name="vm_count"
        inputMode="numeric"
        value={wish.vms}
        error={errorOf('vm_count')}
        isRequired
        maxLength={5}
        onChange={(vms) => change({ vms })}
      />
      <Field
        label="Size of its VMs"
        name="vm_size"
        value={wish.size}
        error={errorOf('vm_size')}
        isRequired
        maxLength={32}
        onChange={(size) => change({ size })}
      />
      <Field
        label="What else it includes, a line each"
        name="includes"
        isLong
        value={wish.includes}
        error={errorOf('includes')}
        maxLength={2000}
        onChange={(includes) => change({ includes })}
      />
    </>
  );
}

function HowMuch({ wish, change, errorOf }: PartProps): ReactElement {
  return (
    <>
      <Field
        label="Price of a period, in US dollars"
        name="price"
        prefix="$"
        inputMode="decimal"
        value={wish.price}
        error={errorOf('price')}
        isRequired
        maxLength={20}
        onChange={(price) => change({ price })}
      />
      <Field
        label="A period has"
        name="period_count"
        inputMode="numeric"
        value={wish.count}
        error={errorOf('period_count')}
        isRequired
        maxLength={3}
        onChange={(count) => change({ count })}
      />
      <Select
        label="counted in"
        name="period_unit"
        value={wish.unit}
        options={UNITS}
        onChange={(unit) => change({ unit })}
      />
      <Field
        label="From, if not from now on"
        name="active_from"
        type="datetime-local"
        hint="In your own time zone. Later than in three days, people are told its price before they renew."
        value={wish.activeFrom}
        error={errorOf('active_from')}
        onChange={(activeFrom) => change({ activeFrom })}
      />
    </>
  );
}

const WHOLE = /^[1-9][0-9]*$/;

/** What the server would refuse anyway, said in the words of this form. */
function missingIn(wish: Wish): Readonly<Record<string, string>> {
  return {
    ...(wish.code.trim() === '' && { code: 'Enter a code, for example vm-5.' }),
    ...(wish.name.trim() === '' && { name: 'Enter a name, for example 5 VMs.' }),
    ...(!WHOLE.test(wish.vms.trim()) && { vm_count: 'Enter a whole number from 1 on.' }),
    ...(wish.size.trim() === '' && { vm_size: 'Enter a size that machines have, for example small.' }),
    ...(wish.price.trim() === '' && { price: 'Enter a price; 0 for a plan that costs nothing.' }),
    ...(!WHOLE.test(wish.count.trim()) && { period_count: 'Enter a whole number from 1 on.' }),
    ...(wish.activeFrom !== '' && instantOf(wish.activeFrom) === null && { active_from: 'Choose a time.' }),
  };
}

function bodyOf(wish: Wish): object {
  const activeFrom = instantOf(wish.activeFrom);
  return {
    code: wish.code.trim(),
    name: wish.name.trim(),
    price: wish.price.trim().replace(/^\$/, ''),
    period_unit: wish.unit,
    period_count: Number(wish.count.trim()),
    vm_count: Number(wish.vms.trim()),
    vm_size: wish.size.trim(),
    includes: wish.includes.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])),
    ...(activeFrom !== null && { active_from: activeFrom }),
  };
}
