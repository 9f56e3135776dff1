import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, unplaced } from '../api.ts';
import { useIntent } from '../intent.ts';
import type { Refund, RefundQuote } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Facts } from '../ui/facts.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { formatMoney, isNegative, readAmount } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { Step } from '../ui/step.tsx';
import { useToast } from '../ui/toast.tsx';

/** What is asked of the server, by the quote and by the refund alike. */
interface Asked {
  readonly payment_sid: string;
  readonly amount: string;
  readonly destination?: string;
}

interface Wish {
  readonly amount: string;
  readonly reason: string;
  readonly destination: string;
}

interface Shown {
  readonly asked: Asked;
  readonly reason: string;
  readonly quote: RefundQuote;
}

interface RefundDialogProps {
  readonly paymentSid: string;
  /** What is written in the field at first; empty: nothing. */
  readonly proposed: string;
  /** Whether the money goes back by a payout, so that somebody must say where to. */
  readonly isPayout: boolean;
  readonly title: string;
  readonly onClose: () => void;
}

/** Gives money of a payment back in two steps: the server asks the provider and says what would happen, then a person confirms it. */
export function RefundDialog({ paymentSid, proposed, isPayout, title, onClose }: RefundDialogProps): ReactElement {
  const [shown, setShown] = useState<Shown | null>(null);
  const [wish, setWish] = useState<Wish>({ amount: proposed, reason: '', destination: '' });
  return (
    <Dialog title={title} onClose={onClose}>
      {shown === null ? (
        <WishForm {...{ paymentSid, isPayout, wish, setWish }} onQuote={setShown} />
      ) : (
        <Confirmation shown={shown} onBack={() => setShown(null)} onDone={onClose} />
      )}
    </Dialog>
  );
}

interface WishFormProps extends Pick<RefundDialogProps, 'paymentSid' | 'isPayout'> {
  readonly wish: Wish;
  readonly setWish: (wish: Wish) => void;
  readonly onQuote: (shown: Shown) => void;
}

type Errors = Partial<Record<keyof Wish, string>>;

function errorsOf({ wish, isPayout }: WishFormProps): Errors {
  const read = readAmount(wish.amount, { min: '0.01', max: '1000000.00' });
  return {
    ...('error' in read && { amount: read.error }),
    ...(wish.reason.trim() === '' && { reason: 'Say why. The customer reads the reason, and it is kept for ever.' }),
    ...(isPayout &&
      !/^[0-9]{8,15}$/.test(wish.destination.trim()) && {
        destination: 'Write the phone number with its country, digits only, for example 255712345678.',
      }),
  };
}

function WishForm(props: WishFormProps): ReactElement {
  const { paymentSid, isPayout, wish, setWish, onQuote } = props;
  const [errors, setErrors] = useState<Errors | null>(null);
  const quote = useMutation<RefundQuote, Problem, Asked>({
    mutationFn: (asked) => post<RefundQuote>('/v1/refunds/quote', { ...asked }),
    onSuccess: (answer, asked) => onQuote({ asked, reason: wish.reason.trim(), quote: answer }),
  });
  const submit = (): void => {
    if (quote.isPending) return;
    const found = errorsOf(props);
    const read = readAmount(wish.amount);
    if (Object.keys(found).length > 0 || 'error' in read) return setErrors(found);
    const destination = isPayout ? { destination: wish.destination.trim() } : {};
    quote.mutate({ payment_sid: paymentSid, amount: read.amount, ...destination });
  };
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setErrors(null);
    quote.reset();
  };
  const said = (field: keyof Wish): string | undefined => errors?.[field] ?? quote.error?.fields.get(field);
  return (
    <Form refusal={errors ?? quote.error} onSubmit={submit}>
      <Field
        label="Amount in US dollars"
        name="amount"
        prefix="$"
        inputMode="decimal"
        value={wish.amount}
        error={said('amount')}
        isRequired
        maxLength={20}
        onChange={(amount) => change({ amount })}
      />
      {isPayout && (
        <Field
          label="Phone number that gets the money"
          name="destination"
          inputMode="numeric"
          value={wish.destination}
          error={said('destination')}
          isRequired
          maxLength={20}
          onChange={(destination) => change({ destination })}
        />
      )}
      <Field
        label="Reason"
        name="reason"
        isLong
        value={wish.reason}
        error={said('reason')}
        isRequired
        maxLength={255}
        onChange={(reason) => change({ reason })}
      />
      <ProblemBanner problem={unplaced(quote.error, (field) => ['amount', 'reason', 'destination'].includes(field))} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={quote.isPending}>
          {quote.isPending ? 'Asking the provider…' : 'Preview'}
        </Button>
      </div>
    </Form>
  );
}

const RAILS: Readonly<Record<RefundQuote['rail'], string>> = {
  direct: 'To where it was paid from',
  payout: 'By a payout to the number you wrote',
  claim: 'The customer claims it by a link',
};

interface ConfirmationProps {
  readonly shown: Shown;
  readonly onBack: () => void;
  readonly onDone: () => void;
}

/** One idempotency key for one confirmed quote, so that pressing twice gives back once. */
function Confirmation({ shown, onBack, onDone }: ConfirmationProps): ReactElement {
  const { asked, reason, quote } = shown;
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const give = useMutation<Refund, Problem, Asked>({
    mutationFn: (body) =>
      intent.run(JSON.stringify([body, reason]), (idempotencyKey) =>
        post<Refund>('/v1/refunds', { ...body, reason }, { idempotencyKey }),
      ),
    onSuccess: async (refund) => {
      const isWaiting = refund.state === 'awaiting_approval';
      say(`${formatMoney(refund.amount)} ${isWaiting ? 'waits for a second operator' : 'is on its way back'}.`);
      onDone();
      await queries.invalidateQueries();
    },
  });
  return (
    <Step label="Preview">
      <div className="rounded-xl bg-sunken px-4 py-3" aria-live="polite">
        <Facts
          facts={[
            ['Goes back', <Money key="amount" amount={quote.amount} />],
            ['How', RAILS[quote.rail]],
            ['Balance now', <Money key="now" amount={quote.credit_balance} />],
            ['Balance after', <Money key="after" amount={quote.credit_balance_after} />],
          ]}
        />
      </div>
      <p className="text-sm">
        <span className="text-soft">Reason:</span> {reason}
      </p>
      {quote.needs_approval && (
        <Banner>It is above the limit: the amount is set aside, and another operator must approve it.</Banner>
      )}
      {isNegative(quote.credit_balance_after) && (
        <Banner tone="warn">It was spent: the balance will be below zero, and the user owes you.</Banner>
      )}
      <ProblemBanner problem={give.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
        <Button isBusy={give.isPending} onPress={() => give.mutate(asked)}>
          {quote.needs_approval ? 'Ask for' : 'Give back'} {formatMoney(quote.amount)}
        </Button>
      </div>
    </Step>
  );
}
