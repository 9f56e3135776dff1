import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useRef, useState } from 'react';
import { Problem, post, seg } from '../api.ts';
import { useIntent } from '../intent.ts';
import type { RedeemedCode } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { formatMoney } from '../ui/money.ts';
import { Time } from '../ui/time.tsx';

/** Refusals that are about what was typed, and stand beside it. */
const OF_THE_CODE: ReadonlySet<string> = new Set([
  'code_unknown',
  'code_already_used',
  'code_used_up',
  'code_not_eligible',
]);

/** Credit for a promo code. What was given is told here, and listed with the wallet's given credit. */
export function Redeem({ walletSid }: { readonly walletSid: string }): ReactElement {
  const [text, setText] = useState('');
  const [missing, setMissing] = useState<{ readonly code: string } | null>(null);
  const { mutate, isPending, error, data, reset } = useRedeem(walletSid, () => setText(''));
  const change = (value: string): void => {
    setText(value);
    setMissing(null);
    if (error !== null || data !== undefined) reset();
  };
  const submit = (): void => {
    if (isPending) return;
    const code = text.trim();
    if (code === '') setMissing({ code: 'Enter the code as it is printed.' });
    else mutate(code);
  };
  const isOfTheCode = error !== null && OF_THE_CODE.has(error.code);
  return (
    <section aria-labelledby="redeem" className="card p-5 sm:p-6">
      <h2 id="redeem" className="mb-4 text-lg font-semibold">
        Redeem a code
      </h2>
      <Form refusal={missing ?? error} onSubmit={submit}>
        <Field
          label="Promo code"
          name="code"
          hint="Spaces, hyphens, and small or capital letters make no difference."
          value={text}
          error={missing?.code ?? (isOfTheCode ? error.message : null)}
          isRequired
          maxLength={100}
          onChange={change}
        />
        <ProblemBanner problem={isOfTheCode ? null : error} />
        <output className="block">{data !== undefined && <Given given={data} />}</output>
        <Button type="submit" look="quiet" isWide isBusy={isPending}>
          Redeem
        </Button>
      </Form>
    </section>
  );
}

function useRedeem(walletSid: string, onDone: () => void) {
  const intent = useIntent();
  const queries = useQueryClient();
  /** A "no" is an answer: who tries again asks anew. Only silence keeps the key, so that nothing is redeemed twice. */
  const refusals = useRef(0);
  return useMutation<RedeemedCode, Problem, string>({
    mutationFn: (code) =>
      intent.run(JSON.stringify([walletSid, code, refusals.current]), (idempotencyKey) =>
        post<RedeemedCode>(`/v1/billings/${seg(walletSid)}/codes`, { code }, { idempotencyKey }),
      ),
    onError: ({ status }) => {
      if (status >= 400 && status < 500) refusals.current += 1;
    },
    onSuccess: async () => {
      onDone();
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['billing', walletSid] }),
        queries.invalidateQueries({ queryKey: ['/v1/grants'] }),
      ]);
    },
  });
}

const Given = ({ given }: { readonly given: RedeemedCode }): ReactElement => (
  <Banner tone="good">
    <p className="font-medium">
      {formatMoney(given.amount)} for you: {given.description}
    </p>
    <p className="mt-1">
      It is used before what you have paid
      {given.expires_at !== null && (
        <>
          , and can be used until <Time at={given.expires_at} />
        </>
      )}
      .
    </p>
  </Banner>
);
