import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import type { FormEvent, ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import type { Adjustment, Billing } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { cx } from '../../ui/class-names.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { formatMoney, fromCents, isNegative, readAmount, toCents } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { Step } from '../../ui/step.tsx';
import { useToast } from '../../ui/toast.tsx';

interface Wish {
  readonly sid: string;
  readonly balance_cents: number;
  readonly reason: string;
}

interface Shown {
  readonly wish: Wish;
  readonly preview: Adjustment;
}

/** Sets a balance in two steps: the server computes what would change and writes nothing, then the operator confirms it. */
export function AdjustDialog({
  wallet,
  onClose,
}: {
  readonly wallet: Billing;
  readonly onClose: () => void;
}): ReactElement {
  const [shown, setShown] = useState<Shown | null>(null);
  const [wish, setWish] = useState({ balance: '', reason: '' });
  return (
    <Dialog title={`Adjust the balance of ${wallet.display_name ?? 'this wallet'}`} onClose={onClose}>
      {shown === null ? (
        <WishForm wallet={wallet} wish={wish} setWish={setWish} onPreview={setShown} />
      ) : (
        <Confirmation shown={shown} onBack={() => setShown(null)} onDone={onClose} />
      )}
    </Dialog>
  );
}

interface WishFormProps {
  readonly wallet: Billing;
  readonly wish: { readonly balance: string; readonly reason: string };
  readonly setWish: (wish: { readonly balance: string; readonly reason: string }) => void;
  readonly onPreview: (shown: Shown) => void;
}

function readWish({
  wallet,
  wish,
}: WishFormProps):
  | { readonly wish: Wish }
  | { readonly errors: { readonly balance?: string; readonly reason?: string } } {
  const read = readAmount(wish.balance);
  const reason = wish.reason.trim();
  const cents = 'amount' in read ? toCents(read.amount) : null;
  if (cents !== null && reason !== '') return { wish: { sid: wallet.sid, balance_cents: cents, reason } };
  return {
    errors: {
      ...('error' in read && { balance: read.error }),
      ...(reason === '' && { reason: 'Say why. The reason is kept in the audit for ever.' }),
    },
  };
}

function WishForm(props: WishFormProps): ReactElement {
  const { wallet, wish, setWish, onPreview } = props;
  const [errors, setErrors] = useState<{ readonly balance?: string; readonly reason?: string }>({});
  const preview = useMutation<Adjustment, Problem, Wish>({
    mutationFn: (body) => post<Adjustment>('/admin/balance-adjust', { ...body, dry_run: true }),
    onSuccess: (answer, body) => onPreview({ wish: body, preview: answer }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (preview.isPending) return;
    const read = readWish(props);
    if ('wish' in read) preview.mutate(read.wish);
    else setErrors(read.errors);
  };
  const change = (part: Partial<WishFormProps['wish']>): void => {
    setWish({ ...wish, ...part });
    setErrors({});
  };
  return (
    <form noValidate className="space-y-4" onSubmit={submit}>
      <p className="text-sm text-soft">
        The balance is <Money amount={wallet.credit_balance} currency={wallet.currency} /> now. It is set by one posting
        against the house; nothing is edited.
      </p>
      <Field
        label="New balance in US dollars"
        name="balance"
        prefix="$"
        hint="May be negative, for example -1.00."
        value={wish.balance}
        error={errors.balance ?? preview.error?.fields.get('balance_cents')}
        isRequired
        maxLength={20}
        onChange={(balance) => change({ balance })}
      />
      <Field
        label="Reason"
        name="reason"
        isLong
        value={wish.reason}
        error={errors.reason ?? preview.error?.fields.get('reason')}
        isRequired
        maxLength={500}
        onChange={(reason) => change({ reason })}
      />
      <ProblemBanner problem={preview.error} />
      <div className="flex justify-end gap-3">
        <Button type="submit" isBusy={preview.isPending}>
          Preview
        </Button>
      </div>
    </form>
  );
}

interface ConfirmationProps {
  readonly shown: Shown;
  readonly onBack: () => void;
  readonly onDone: () => void;
}

/** One idempotency key for one confirmed preview, so that pressing twice adjusts once. */
function useAdjust(onDone: () => void): UseMutationResult<Adjustment, Problem, Wish> {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  return useMutation<Adjustment, Problem, Wish>({
    mutationFn: (wish) =>
      intent.run(JSON.stringify(wish), (idempotencyKey) =>
        post<Adjustment>('/admin/balance-adjust', { ...wish }, { idempotencyKey }),
      ),
    onSuccess: async (answer) => {
      say(<WhatChanged answer={answer} />);
      onDone();
      await queries.invalidateQueries();
    },
  });
}

function Confirmation({ shown, onBack, onDone }: ConfirmationProps): ReactElement {
  const adjust = useAdjust(onDone);
  const { preview, wish } = shown;
  const after = fromCents(preview.new_balance);
  return (
    <Step label="Preview">
      <dl className="amount rounded-xl bg-sunken px-4 py-3" aria-live="polite">
        <Line name="Balance now" amount={fromCents(preview.prev_balance)} />
        <Line name="Change" amount={fromCents(preview.change_cents)} isChange />
        <Line name="Balance after" amount={after} isStrong />
      </dl>
      <p className="text-sm">
        <span className="text-soft">Reason:</span> {wish.reason}
      </p>
      {preview.change_cents === 0 && <Banner>The wallet already holds this balance; nothing would move.</Banner>}
      {isNegative(after) && <Banner tone="warn">The balance will be below zero: the user owes you.</Banner>}
      <ProblemBanner problem={adjust.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
        <Button isBusy={adjust.isPending} onPress={() => adjust.mutate(wish)}>
          Set balance to {formatMoney(after)}
        </Button>
      </div>
    </Step>
  );
}

function WhatChanged({ answer }: { readonly answer: Adjustment }): ReactElement {
  return (
    <>
      The balance went from <Money amount={fromCents(answer.prev_balance)} /> to{' '}
      <Money amount={fromCents(answer.new_balance)} />.
    </>
  );
}

function Line(props: {
  readonly name: string;
  readonly amount: string;
  readonly isChange?: boolean;
  readonly isStrong?: boolean;
}): ReactElement {
  return (
    <div
      className={cx(
        'flex justify-between gap-4 py-0.5',
        props.isStrong && 'mt-2 border-t border-line pt-2.5 font-semibold',
      )}
    >
      <dt className={cx(!props.isStrong && 'text-soft')}>{props.name}</dt>
      <dd>
        <Money amount={props.amount} isChange={props.isChange ?? false} />
      </dd>
    </div>
  );
}
