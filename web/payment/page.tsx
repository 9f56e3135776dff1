import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useEffect, useRef } from 'react';
import { useLocation, useSearch } from 'wouter';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import { PaymentRefunds } from '../refund/payment-refunds.tsx';
import { PaymentReceipts } from '../receipt/list.tsx';
import { useRoleOf } from '../chosen-wallet.tsx';
import { useSession } from '../session.ts';
import type { Payment } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button, buttonClass } from '../ui/button.tsx';
import { Copyable } from '../ui/copyable.tsx';
import { Facts } from '../ui/facts.tsx';
import { Icon } from '../ui/icon.tsx';
import { isSame } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import { BackLink, Loading, PageTitle } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { isPast } from '../ui/time.ts';
import { PaymentBadge } from './badge.tsx';
import { providerName } from './list.tsx';
import { Progress } from './progress.tsx';
import { isFinal, nextLookMs, sentenceOf, STATE_TEXT, textOf } from './state.ts';

export function PaymentPage({ sid }: { readonly sid: string }): ReactElement {
  const payment = useQuery<Payment, Problem>({
    queryKey: ['payment', sid],
    queryFn: ({ signal }) => get<Payment>(`/v1/payments/${seg(sid)}`, { signal }),
    refetchInterval: (query) => nextLookMs(query.state.data, query.state.dataUpdateCount),
  });
  const check = useCheck(sid);
  useCheckOnArrival(payment.data, check.ask);
  useTidyAddress(sid);
  return (
    <div className="mx-auto max-w-2xl">
      <BackToWallet payment={payment.data} />
      <div className="mt-2 mb-6 flex flex-wrap items-center gap-3">
        <PageTitle title="Top-up" />
        {payment.data && <PaymentBadge state={payment.data.state} />}
      </div>
      {!payment.data && payment.error && <ProblemBanner problem={payment.error} retry={() => void payment.refetch()} />}
      {!payment.data && !payment.error && <Loading what="the payment" />}
      {payment.data && <Whereabouts payment={payment.data} check={check} />}
    </div>
  );
}

interface Check {
  readonly ask: () => void;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly isAnswered: boolean;
}

/** Asks the provider itself, now. Safe to press at any time: what is credited is credited once. */
function useCheck(sid: string): Check {
  const queries = useQueryClient();
  const { mutate, isPending, error, isSuccess } = useMutation<Payment, Problem>({
    mutationFn: () => post<Payment>(`/v1/payments/${seg(sid)}/check`),
    onSuccess: (payment) => queries.setQueryData(['payment', sid], payment),
  });
  return { ask: mutate, isBusy: isPending, problem: error, isAnswered: isSuccess };
}

/** Whoever comes back from the checkout page, or reloads, should not wait for the next message of the provider. */
function useCheckOnArrival(payment: Payment | undefined, ask: () => void): void {
  const isDone = useRef(false);
  const isViewer = useRoleOf(payment?.wallet_sid ?? null) === 'viewer';
  useEffect(() => {
    if (!payment || isViewer || isDone.current) return;
    isDone.current = true;
    if (!isFinal(payment) && payment.state !== 'quarantined') ask();
  }, [payment, isViewer, ask]);
}

/** Drops what the provider added to the address, so that a bookmark or a shared link is only the payment. */
function useTidyAddress(sid: string): void {
  const search = useSearch();
  const [, navigate] = useLocation();
  useEffect(() => {
    if (search !== '') navigate(`/payments/${seg(sid)}`, { replace: true });
  }, [search, sid, navigate]);
}

function BackToWallet({ payment }: { readonly payment: Payment | undefined }): ReactElement {
  const { role } = useSession();
  if (role !== 'operator') return <BackLink to="/wallet">Wallet</BackLink>;
  return <BackLink to={payment ? `/operator/wallets/${seg(payment.wallet_sid)}` : '/operator'}>Wallet</BackLink>;
}

function Whereabouts({ payment, check }: { readonly payment: Payment; readonly check: Check }): ReactElement {
  const text = textOf(payment);
  const said = payment.problem === null ? null : sentenceOf(payment.problem);
  const isOver = isFinal(payment);
  /** The banner says then what the problem says, with the amounts as everywhere. */
  const isOtherAmount = payment.credited !== null && !isSame(payment.credited, payment.amount);
  return (
    <div className="space-y-6">
      <section aria-label="Where the money is" className="card p-5 sm:p-8">
        <p className="amount text-4xl font-semibold tracking-tight">
          <Money amount={payment.credited ?? payment.amount} currency={payment.currency} />
        </p>
        <div aria-live="polite" className="mt-3">
          <h2 className="text-lg font-semibold">{text.headline}</h2>
          <p className="mt-1 text-soft">{isOver && !isOtherAmount ? (said ?? text.explanation) : text.explanation}</p>
          {said !== null && !isOver && (
            <div className="mt-4">
              <Banner tone={payment.state === 'quarantined' ? 'bad' : 'warn'}>{said}</Banner>
            </div>
          )}
          {payment.credited !== null && isOtherAmount && (
            <div className="mt-4">
              <Banner>
                You ordered <Money amount={payment.amount} currency={payment.currency} />; what you paid, and what was
                credited, is <Money amount={payment.credited} currency={payment.currency} />.
              </Banner>
            </div>
          )}
        </div>
        <div className="mt-8">
          <Progress payment={payment} />
        </div>
        <NextStep payment={payment} check={check} />
      </section>
      <PaymentRefunds payment={payment} />
      <section aria-label="Details" className="card p-5 sm:p-8">
        <Facts
          facts={[
            ['Provider', providerName(payment.provider)],
            ['Ordered', <Money key="amount" amount={payment.amount} currency={payment.currency} />],
            ['Created', <Time key="created" at={payment.created_at} />],
            ...(payment.state !== 'created' && payment.state !== 'open'
              ? []
              : [
                  [
                    isPast(payment.expires_at) ? 'Expired' : 'Expires',
                    <Time key="expires" at={payment.expires_at} />,
                  ] as const,
                ]),
          ]}
        />
        <div className="mt-5 border-t border-line pt-4 text-sm">
          <p className="text-soft">Payment number</p>
          <Copyable text={payment.sid} what="Payment number" />
        </div>
      </section>
      {payment.state === 'credited' && <PaymentReceipts paymentSid={payment.sid} />}
    </div>
  );
}

function NextStep({ payment, check }: { readonly payment: Payment; readonly check: Check }): ReactElement | null {
  const { role } = useSession();
  const isViewer = useRoleOf(payment.wallet_sid) === 'viewer';
  if (isFinal(payment)) {
    return role === 'operator' ? null : (
      <div className="mt-8">
        <a href="/wallet" className={buttonClass(payment.state === 'credited' ? 'primary' : 'quiet')}>
          {payment.state === 'credited' ? 'Go to the wallet' : 'Back to the wallet'}
        </a>
      </div>
    );
  }
  if (isViewer) return null;
  const canPay = payment.state === 'open' && payment.checkout_url !== null && role === 'user';
  return (
    <div className="mt-8 space-y-3">
      <div className="flex flex-wrap gap-3">
        {canPay && (
          <a href={payment.checkout_url ?? undefined} className={buttonClass('primary')}>
            Continue to checkout
            <Icon name="leave" />
          </a>
        )}
        <Button look="quiet" isBusy={check.isBusy} onPress={check.ask}>
          {!check.isBusy && <Icon name="refresh" />}
          {check.isBusy ? 'Asking the provider…' : 'Check again'}
        </Button>
      </div>
      <p aria-live="polite" className="text-sm text-soft">
        {check.isAnswered && !check.isBusy
          ? `The provider was asked: ${STATE_TEXT[payment.state].word.toLowerCase()}. This page keeps looking by itself.`
          : 'This page keeps looking by itself.'}
      </p>
      <ProblemBanner problem={check.problem} />
    </div>
  );
}
