import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import type { Grant } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { formatMoney, readAmount } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { Select } from '../../ui/select.tsx';
import { Step } from '../../ui/step.tsx';
import { formatTime, instantOf } from '../../ui/time.ts';
import { useToast } from '../../ui/toast.tsx';
import { KINDS, type Kind } from './words.ts';

interface Wish {
  readonly wallet: string;
  readonly amount: string;
  readonly kind: Kind;
  readonly ends: string;
  readonly priority: string;
  readonly reason: string;
}

interface Body {
  readonly wallet_sid: string;
  readonly amount: string;
  readonly kind: Kind;
  readonly priority: number;
  readonly reason: string;
  readonly expires_at?: string;
}

interface Shown {
  readonly body: Body;
  readonly preview: Grant;
}

const PLACES = ['wallet_sid', 'amount', 'kind', 'priority', 'reason', 'expires_at'];

interface GiveProps {
  /** Written in the form at first; empty: none. */
  readonly walletSid: string;
  readonly onClose: () => void;
}

/** Gives credit in two steps: the server says what would be given and writes nothing, then it is confirmed. */
export function GiveDialog({ walletSid, onClose }: GiveProps): ReactElement {
  const [wish, setWish] = useState<Wish>({
    wallet: walletSid,
    amount: '',
    kind: 'goodwill',
    ends: '',
    priority: '100',
    reason: '',
  });
  const [shown, setShown] = useState<Shown | null>(null);
  return (
    <Dialog title="Give credit" onClose={onClose}>
      {shown === null ? (
        <WishForm wish={wish} setWish={setWish} onPreview={setShown} />
      ) : (
        <Confirmation shown={shown} onBack={() => setShown(null)} onDone={onClose} />
      )}
    </Dialog>
  );
}

interface WishFormProps {
  readonly wish: Wish;
  readonly setWish: (wish: Wish) => void;
  readonly onPreview: (shown: Shown) => void;
}

function WishForm({ wish, setWish, onPreview }: WishFormProps): ReactElement {
  const [missing, setMissing] = useState<Readonly<Record<string, string>> | null>(null);
  const preview = useMutation<Grant, Problem, Body>({
    mutationFn: (body) =>
      post<Grant>('/v1/grants', { ...body, dry_run: true }, { idempotencyKey: crypto.randomUUID() }),
    onSuccess: (answer, body) => onPreview({ body, preview: answer }),
  });
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    preview.reset();
  };
  const submit = (): void => {
    if (preview.isPending) return;
    const read = readWish(wish);
    if ('body' in read) preview.mutate(read.body);
    else setMissing(read.errors);
  };
  const errorOf = (field: string): string | undefined => missing?.[field] ?? preview.error?.fields.get(field);
  return (
    <Form refusal={missing ?? preview.error} onSubmit={submit}>
      <Field
        label="Wallet number"
        name="wallet_sid"
        value={wish.wallet}
        error={errorOf('wallet_sid')}
        isRequired
        maxLength={40}
        onChange={(wallet) => change({ wallet })}
      />
      <Field
        label="Amount in US dollars"
        name="amount"
        prefix="$"
        inputMode="decimal"
        value={wish.amount}
        error={errorOf('amount')}
        isRequired
        maxLength={20}
        onChange={(amount) => change({ amount })}
      />
      <Select label="Kind" name="kind" value={wish.kind} options={KINDS} onChange={(kind) => change({ kind })} />
      <Field
        label="It ends, if it does"
        name="expires_at"
        type="datetime-local"
        hint="In your own time zone. What is left then is gone."
        value={wish.ends}
        error={errorOf('expires_at')}
        onChange={(ends) => change({ ends })}
      />
      <Field
        label="Priority"
        name="priority"
        inputMode="numeric"
        hint="Of credit that ends at the same time the lower number is used first."
        value={wish.priority}
        error={errorOf('priority')}
        maxLength={4}
        onChange={(priority) => change({ priority })}
      />
      <Field
        label="What it is for"
        name="reason"
        isLong
        hint="The user reads it."
        value={wish.reason}
        error={errorOf('reason')}
        isRequired
        maxLength={255}
        onChange={(reason) => change({ reason })}
      />
      <ProblemBanner problem={unplaced(preview.error, (field) => PLACES.includes(field))} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={preview.isPending}>
          Preview
        </Button>
      </div>
    </Form>
  );
}

/** What the server would refuse anyway, said in the words of this form. */
function readWish(wish: Wish): { readonly body: Body } | { readonly errors: Readonly<Record<string, string>> } {
  const read = readAmount(wish.amount, { min: '0.01', max: '10000.00' });
  const ends = instantOf(wish.ends);
  const isPriority = /^\d{1,4}$/.test(wish.priority.trim()) && Number(wish.priority) <= 1_000;
  const [wallet, reason] = [wish.wallet.trim(), wish.reason.trim()];
  const errors = {
    ...(wallet === '' && { wallet_sid: 'Enter the number of a wallet: its page has it.' }),
    ...('error' in read && { amount: read.error }),
    ...(wish.ends !== '' && ends === null && { expires_at: 'Choose a time.' }),
    ...(!isPriority && { priority: 'Enter a whole number from 0 to 1000.' }),
    ...(reason === '' && { reason: 'Say what it is for.' }),
  };
  if ('error' in read || Object.keys(errors).length > 0) return { errors };
  return {
    body: {
      wallet_sid: wallet,
      amount: read.amount,
      kind: wish.kind,
      priority: Number(wish.priority),
      reason,
      ...(ends !== null && { expires_at: ends }),
    },
  };
}

interface ConfirmationProps {
  readonly shown: Shown;
  readonly onBack: () => void;
  readonly onDone: () => void;
}

function Confirmation({ shown: { body, preview }, onBack, onDone }: ConfirmationProps): ReactElement {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const give = useMutation<Grant, Problem>({
    mutationFn: () =>
      intent.run(JSON.stringify(body), (idempotencyKey) => post<Grant>('/v1/grants', { ...body }, { idempotencyKey })),
    onSuccess: async ({ amount }) => {
      say(`${formatMoney(amount)} were given.`);
      onDone();
      await queries.invalidateQueries();
    },
  });
  return (
    <Step label="Preview">
      <div className="rounded-xl bg-sunken px-4 py-3" aria-live="polite">
        <Facts
          facts={[
            ['Amount', <Money key="amount" amount={preview.amount} />],
            ['Kind', preview.kind],
            ['Ends', preview.expires_at === null ? 'never' : formatTime(preview.expires_at)],
            ['Priority', preview.priority],
          ]}
        />
        <p className="mt-3 font-mono text-xs break-all text-soft">{preview.wallet_sid}</p>
      </div>
      <p className="text-sm">
        <span className="text-soft">What it is for:</span> {preview.reason}
      </p>
      <ProblemBanner problem={give.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
        <Button isBusy={give.isPending} onPress={() => give.mutate()}>
          Give {formatMoney(preview.amount)}
        </Button>
      </div>
    </Step>
  );
}
