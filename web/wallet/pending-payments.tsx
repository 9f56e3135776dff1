import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import { PaymentBadge } from '../payment/badge.tsx';
import { providerName } from '../payment/list.tsx';
import { isFinal, sentenceOf, STATE_TEXT } from '../payment/state.ts';
import type { Page, Payment } from '../surface.ts';
import { Banner } from '../ui/banner.tsx';
import { Icon } from '../ui/icon.tsx';
import { Money } from '../ui/money.tsx';
import { Card } from '../ui/page.tsx';
import { nowMs } from '../ui/time.ts';
import { Time } from '../ui/time.tsx';

const LATEST = 50;

/** What is on its way in, and what has just failed, so that nobody has to wonder. Nothing is shown when nothing is. */
export function PendingPayments({ walletSid }: { readonly walletSid: string }): ReactElement | null {
  const { data } = useQuery<Page<Payment>, Problem, readonly Payment[]>({
    queryKey: ['pending', walletSid],
    queryFn: ({ signal }) =>
      get<Page<Payment>>('/v1/payments', { query: { wallet_sid: walletSid, limit: LATEST }, signal }),
    select: (page) => page.items,
    refetchInterval: 15_000,
  });
  const pending = data?.filter((payment) => !isFinal(payment)) ?? [];
  useCheckOnArrival(walletSid, pending[0]);
  const failed = justFailed(data ?? []);
  return (
    <>
      <div aria-live="polite">{failed && <FailedNotice key={failed.sid} payment={failed} />}</div>
      {pending.length > 0 && <PendingCard payments={pending} />}
    </>
  );
}

/** A provider whose page leads back to the wallet, whatever became of the payment, tells it when it is asked. */
function useCheckOnArrival(walletSid: string, payment: Payment | undefined): void {
  const queries = useQueryClient();
  const isDone = useRef(false);
  const { mutate } = useMutation<Payment, Problem, string>({
    mutationFn: (sid) => post<Payment>(`/v1/payments/${seg(sid)}/check`),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['pending', walletSid] }),
  });
  useEffect(() => {
    if (!payment || isDone.current) return;
    isDone.current = true;
    if (payment.state !== 'quarantined' && isRecent(payment.created_at)) mutate(payment.sid);
  }, [payment, mutate]);
}

/** Long enough to come back from a phone; later nobody wonders any more, and the list of payments has it. */
const RECENT_MS = 3_600_000;
const isRecent = (at: string): boolean => nowMs() - Date.parse(at) < RECENT_MS;

/** The latest payment, if it has just failed: whoever has paid or begun anew since knows already. */
function justFailed([latest]: readonly Payment[]): Payment | null {
  return latest?.state === 'failed' && isRecent(latest.updated_at) ? latest : null;
}

function FailedNotice({ payment }: { readonly payment: Payment }): ReactElement | null {
  const [isClosed, setClosed] = useState(false);
  if (isClosed) return null;
  return (
    <Banner tone="bad">
      <p className="font-medium">
        Failed: top-up of <Money amount={payment.amount} currency={payment.currency} /> through{' '}
        {providerName(payment.provider)}
      </p>
      <p className="mt-1">{payment.problem === null ? STATE_TEXT.failed.explanation : sentenceOf(payment.problem)}</p>
      <p className="mt-1">
        {WHAT_TO_DO[payment.provider] ?? 'Try again under “Add money”, or choose another way to pay.'}
      </p>
      <p className="mt-2 flex flex-wrap gap-4">
        <Link href={`/payments/${seg(payment.sid)}`} className="font-medium underline underline-offset-2">
          See the payment
        </Link>
        <button type="button" className="font-medium underline underline-offset-2" onClick={() => setClosed(true)}>
          Close this notice
        </button>
      </p>
    </Banner>
  );
}

/** By provider, where more can be said than to try again. */
const WHAT_TO_DO: Readonly<Record<string, string>> = {
  clickpesa:
    'The request on the phone was declined or ran out, or there was not enough money on it. Try again under “Add money” and confirm it on the phone with your PIN, or choose another way to pay.',
};

function PendingCard({ payments }: { readonly payments: readonly Payment[] }): ReactElement {
  return (
    <Card title="On the way in">
      <ul>
        {payments.map((payment) => (
          <li key={payment.sid} className="border-b border-line last:border-0">
            <Link
              href={`/payments/${payment.sid}`}
              className="flex items-center gap-3 px-5 py-3 text-sm -outline-offset-2 hover:bg-sunken sm:px-6"
            >
              <span className="min-w-0 grow">
                <span className="font-medium">
                  <Money amount={payment.amount} currency={payment.currency} />
                </span>
                <span className="block text-xs text-soft">
                  <Time at={payment.created_at} />
                </span>
                {payment.progress !== null && <span className="block text-xs text-soft">{payment.progress}</span>}
              </span>
              <PaymentBadge state={payment.state} />
              <Icon name="next" />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
