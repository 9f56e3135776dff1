import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactElement } from 'react';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import { SAVING_TEXT } from '../card/words.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { useIntent } from '../intent.ts';
import { providerName } from '../payment/list.tsx';
import { useSession } from '../session.ts';
import type { Payment } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Field } from '../ui/field.tsx';
import { PaymentMethodChoice, type PaymentMethod } from './payment-method.tsx';
import { formatMoney, isSame, readAmount } from '../ui/money.ts';
import { Checkbox } from '../ui/select.tsx';

export function TopUp(): ReactElement {
  const { payment_methods: methods } = useSession();
  const [first] = methods;
  return (
    <section aria-labelledby="top-up" className="card p-5 sm:p-6">
      <h2 id="top-up" className="mb-4 text-lg font-semibold">
        Add money
      </h2>
      {first === undefined ? (
        <Banner tone="warn">
          No payment provider is set up on this server, so money cannot be added here at the moment.
        </Banner>
      ) : (
        <TopUpForm methods={methods} first={first} />
      )}
    </section>
  );
}

/** Where a payment starts: the checkout page of the provider, or our page of the payment while that is being made. */
function usePay(): {
  readonly pay: (order: Order) => void;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly reset: () => void;
} {
  const intent = useIntent();
  const [, navigate] = useLocation();
  const { mutate, isPending, isSuccess, error, reset } = useMutation<Payment, Problem, Order>({
    mutationFn: (order) =>
      intent.run(JSON.stringify(order), (idempotencyKey) =>
        post<Payment>('/v1/payments', { ...order }, { idempotencyKey }),
      ),
    onSuccess: (payment) => {
      if (payment.checkout_url === null) navigate(`/payments/${seg(payment.sid)}`);
      else window.location.assign(payment.checkout_url);
    },
  });
  return { pay: mutate, isBusy: isPending || isSuccess, problem: error, reset };
}

interface Order {
  readonly wallet_sid: string;
  readonly provider: string;
  readonly amount: string;
  readonly save_card: boolean;
}

interface TopUpFormProps {
  readonly methods: readonly PaymentMethod[];
  readonly first: PaymentMethod;
}

function TopUpForm({ methods, first }: TopUpFormProps): ReactElement {
  const { top_up: limits, card_providers } = useSession();
  const { wallet } = useChosenWallet();
  const [savesCard, setSavesCard] = useState(false);
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [method, setMethod] = useState(first);
  // A card that is kept can be charged again: that is for owners to allow.
  const canSave = card_providers.includes(method.provider) && wallet.role === 'owner';
  const form = useRef<HTMLFormElement>(null);
  const { pay, isBusy, problem, reset } = usePay();
  const chooseMethod = (chosen: PaymentMethod): void => {
    setMethod(chosen);
    if (problem) reset();
  };
  const choose = (value: string): void => {
    setText(value);
    setError(null);
    if (problem) reset();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isBusy) return;
    const read = readAmount(text, limits);
    if ('amount' in read) {
      pay({
        wallet_sid: wallet.wallet_sid,
        provider: method.provider,
        amount: read.amount,
        save_card: canSave && savesCard,
      });
      return;
    }
    setError(read.error);
    form.current?.querySelector<HTMLInputElement>('input[name=amount]')?.focus();
  };
  const fieldProblem = problem?.fields.get('amount') ?? null;
  return (
    <form ref={form} noValidate className="space-y-4" onSubmit={submit}>
      <Presets presets={limits.presets} text={text} choose={choose} />
      <Field
        label="Amount in US dollars"
        name="amount"
        prefix="$"
        inputMode="decimal"
        value={text}
        error={error ?? fieldProblem}
        hint={`Between ${formatMoney(limits.min)} and ${formatMoney(limits.max)}.`}
        isRequired
        maxLength={20}
        onChange={choose}
      />
      <PaymentMethodChoice methods={methods} chosen={method} choose={chooseMethod} />
      {canSave && (
        <div>
          <Checkbox label="Save this card for later" isOn={savesCard} onChange={setSavesCard} />
          {savesCard && <p className="text-xs text-soft">{SAVING_TEXT}</p>}
        </div>
      )}
      <ProblemBanner problem={fieldProblem === null ? problem : null} />
      <Button type="submit" isWide isBusy={isBusy}>
        {isBusy ? 'Opening checkout…' : 'Continue to payment'}
      </Button>
      <p className="text-xs text-soft">
        You pay on the page of {providerName(method.provider)}. The wallet is credited when{' '}
        {providerName(method.provider)} confirms the payment.
      </p>
    </form>
  );
}

interface PresetsProps {
  readonly presets: readonly string[];
  readonly text: string;
  readonly choose: (amount: string) => void;
}

function Presets({ presets, text, choose }: PresetsProps): ReactElement {
  const read = readAmount(text);
  return (
    <fieldset aria-label="Common amounts" className="grid grid-cols-[repeat(auto-fit,minmax(3.5rem,1fr))] gap-2">
      {presets.map((preset) => {
        const isChosen = 'amount' in read && isSame(read.amount, preset);
        return (
          <button
            key={preset}
            type="button"
            aria-pressed={isChosen}
            className={cx(
              'amount min-h-11 rounded-lg border px-2 text-sm font-medium',
              isChosen
                ? 'border-accent bg-wash text-accent inset-ring inset-ring-accent'
                : 'border-edge hover:bg-sunken',
            )}
            onClick={() => choose(preset)}
          >
            {formatMoney(preset).replace(/\.00$/, '')}
          </button>
        );
      })}
    </fieldset>
  );
}
