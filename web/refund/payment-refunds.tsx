import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { useRoleOf } from '../chosen-wallet.tsx';
import { useSession } from '../session.ts';
import type { Page, Payment, Refund, RefundPlan } from '../surface.ts';
import { Button } from '../ui/button.tsx';
import { isZero } from '../ui/money.ts';
import { RefundDialog } from './dialog.tsx';
import { RefundList } from './list.tsx';
import { nextLookMs } from './state.ts';

/** What went back of one payment, and the button that has more go back, for whoever may press it. */
export function PaymentRefunds({ payment }: { readonly payment: Payment }): ReactElement | null {
  const { role, refund_self_service: isSelfService } = useSession();
  const [isOpen, setOpen] = useState(false);
  const isOwner = useRoleOf(payment.wallet_sid) === 'owner';
  const mayAsk = payment.state === 'credited' && isOwner && (role === 'operator' || isSelfService);
  const refunds = useQuery<Page<Refund>, Problem>({
    queryKey: ['/v1/refunds', 'of-payment', payment.sid],
    queryFn: ({ signal }) =>
      get<Page<Refund>>('/v1/refunds', { query: { payment_sid: payment.sid, wallet_sid: payment.wallet_sid }, signal }),
    enabled: payment.state === 'credited',
    refetchInterval: (query) => nextLookMs(query.state.data?.items ?? []),
  });
  const lookMs = nextLookMs(refunds.data?.items ?? []);
  const plan = useQuery<RefundPlan, Problem>({
    queryKey: ['refund-plan', payment.wallet_sid],
    queryFn: ({ signal }) => get<RefundPlan>(`/v1/billings/${seg(payment.wallet_sid)}/refund-plan`, { signal }),
    enabled: mayAsk,
  });
  const items = plan.data?.items.filter((item) => item.payment_sid === payment.sid) ?? [];
  const free = items.find((item) => item.rail !== 'none' && !isZero(item.left));
  const hasRefunds = (refunds.data?.items.length ?? 0) > 0;
  // The list asks for itself; what has moved since its last look is asked for at once.
  const moves = refunds.data?.items.map(({ sid, state }) => `${sid} ${state}`).join() ?? '';
  if (!hasRefunds && !(mayAsk && free)) return null;
  return (
    <section aria-label="Refunds" className="card overflow-hidden">
      <div className="flex flex-wrap items-center justify-between gap-3 p-5">
        <h2 className="font-semibold">Refunds</h2>
        {mayAsk && free && (
          <Button look="quiet" onPress={() => setOpen(true)}>
            {role === 'operator' ? 'Give money back…' : 'Ask for your money back…'}
          </Button>
        )}
      </div>
      {hasRefunds && (
        <RefundList key={moves} walletSid={payment.wallet_sid} paymentSid={payment.sid} refreshMs={lookMs} />
      )}
      {isOpen && free && (
        <RefundDialog
          paymentSid={payment.sid}
          proposed={isZero(free.proposed) ? '' : free.proposed}
          isPayout={free.rail === 'payout'}
          title={role === 'operator' ? 'Give money back' : 'Ask for your money back'}
          onClose={() => setOpen(false)}
        />
      )}
    </section>
  );
}
