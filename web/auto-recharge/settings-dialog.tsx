import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, unplaced } from '../api.ts';
import { useCardsKey } from '../card/saved-cards.tsx';
import { nameOf } from '../card/words.ts';
import type { AutoRecharge, SavedCard } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { readAmount } from '../ui/money.ts';
import { Checkbox, Select } from '../ui/select.tsx';
import { useToast } from '../ui/toast.tsx';

const FIELDS = ['threshold', 'target', 'monthly_cap'] as const;
type FieldName = (typeof FIELDS)[number];
type Errors = Partial<Record<FieldName | 'agrees_to', string>>;

const LABELS: Readonly<Record<FieldName, readonly [label: string, hint: string]>> = {
  threshold: ['When the balance falls below', 'A charge takes moments; leave enough for them.'],
  target: ['Fill it up to', 'The card is charged with what is missing.'],
  monthly_cap: ['At most in a month', 'Counts the charges of a calendar month (UTC).'],
};

const FIRST: Readonly<Record<FieldName, string>> = { threshold: '5.00', target: '25.00', monthly_cap: '100.00' };

interface Props {
  readonly recharge: AutoRecharge;
  readonly cards: readonly SavedCard[];
  readonly onClose: () => void;
}

/** Switches it on, or changes it; either way the person agrees to the text as it is now. */
export function SettingsDialog({ recharge, cards, onClose }: Props): ReactElement {
  const queries = useQueryClient();
  const cardsKey = useCardsKey();
  const say = useToast();
  const [amounts, setAmounts] = useState<Readonly<Record<FieldName, string>>>({ ...FIRST, ...recharge.settings });
  const [cardRef, setCardRef] = useState((cards.find((card) => card.is_default) ?? cards[0])?.card_ref ?? '');
  const [hasAgreed, setAgreed] = useState(false);
  const [errors, setErrors] = useState<Errors | null>(null);
  const set = useMutation<AutoRecharge, Problem, Readonly<Record<FieldName, string>>>({
    mutationFn: (wish) =>
      post<AutoRecharge>('/v1/auto-recharge', {
        ...wish,
        wallet_sid: cardsKey[1],
        ...(cardRef === '' ? {} : { card_ref: cardRef }),
        agrees_to: recharge.consent.version,
      }),
    onSuccess: async (answer) => {
      queries.setQueryData(['auto-recharge', cardsKey[1]], answer);
      await queries.invalidateQueries({ queryKey: cardsKey });
      say('Auto-recharge is on.');
      onClose();
    },
  });
  const submit = (): void => {
    const read = readWish(amounts, hasAgreed);
    setErrors('errors' in read ? read.errors : null);
    if (!set.isPending && 'wish' in read) set.mutate(read.wish);
  };
  return (
    <Dialog title="Auto-recharge" onClose={onClose}>
      <Form refusal={errors ?? set.error} onSubmit={submit}>
        {FIELDS.map((name) => (
          <Field
            key={name}
            label={LABELS[name][0]}
            hint={LABELS[name][1]}
            name={name}
            prefix="$"
            inputMode="decimal"
            isRequired
            maxLength={20}
            value={amounts[name]}
            error={errors?.[name] ?? sentence(set.error?.fields.get(name))}
            onChange={(text) => setAmounts({ ...amounts, [name]: text })}
          />
        ))}
        <Select
          label="Card"
          name="card"
          value={cardRef}
          options={cards.map((card) => [card.card_ref, nameOf(card)] as const)}
          onChange={setCardRef}
        />
        <div>
          <Checkbox label="I agree to the following:" isOn={hasAgreed} onChange={setAgreed} />
          <p className="text-xs text-soft">{recharge.consent.text}</p>
          <p role="alert" className="mt-1.5 text-sm text-bad">
            {errors?.agrees_to}
          </p>
        </div>
        <ProblemBanner problem={unplaced(set.error, (field) => FIELDS.some((name) => name === field))} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Cancel
          </Button>
          <Button type="submit" isBusy={set.isPending}>
            {recharge.state === 'off' ? 'Switch on' : 'Save'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function readWish(
  amounts: Readonly<Record<FieldName, string>>,
  hasAgreed: boolean,
): { readonly wish: Readonly<Record<FieldName, string>> } | { readonly errors: Errors } {
  const errors: Errors = {};
  const wish: Record<FieldName, string> = { ...amounts };
  for (const name of FIELDS) {
    const read = readAmount(amounts[name]);
    if ('amount' in read) wish[name] = read.amount;
    else errors[name] = read.error;
  }
  if (!hasAgreed) errors.agrees_to = 'Agree to this before the card can be charged.';
  return Object.keys(errors).length === 0 ? { wish } : { errors };
}

/** The server's "must be at least 5.00 above the threshold" as a sentence. */
const sentence = (detail: string | undefined): string | null => (detail === undefined ? null : `This ${detail}.`);
