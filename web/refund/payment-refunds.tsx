import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { useRoleOf } from '../chosen-wallet.tsx';
import { useSession } from '../session.ts';
import type { Payment, Refund, RefundPlan } from '../surface.ts';
import { Button } from '../ui/button.tsx';
import { RowTable, useRows } from '../ui/list.tsx';
import { isZero } from '../ui/money.ts';
import { RefundDialog } from './dialog.tsx';
import { COLUMNS_OF_PAYMENT } from './list.tsx';
import { nextLookMs } from './state.ts';

/** What went back of one payment, and the button that has more go back, for whoever may press it. */
export function PaymentRefunds({ payment }: { readonly payment: Payment }): ReactElement | null {
  const { role, refund_self_service: isSelfService } = useSession();
  const [isOpen, setOpen] = useState(false);
  const isOwner = useRoleOf(payment.wallet_sid) === 'owner';
  const mayAsk = payment.state === 'credited' && isOwner && (role === 'operator' || isSelfService);
  const refunds = useRows<Refund>({
    path: '/v1/refunds',
    query: { payment_sid: payment.sid, wallet_sid: payment.wallet_sid },
    isOn: payment.state === 'credited',
    refreshMs: nextLookMs,
  });
  const plan = useQuery<RefundPlan, Problem>({
    queryKey: ['refund-plan', payment.wallet_sid],
    queryFn: ({ signal }) => get<RefundPlan>(`/v1/billings/${seg(payment.wallet_sid)}/refund-plan`, { signal }),
    enabled: mayAsk,
  });
  const items = plan.data?.items.filter((item) => item.payment_sid === payment.sid) ?? [];
  const free = items.find((item) => item.rail !== 'none' && !isZero(item.left));
  const hasRefunds = (refunds.data?.length ?? 0) > 0;
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
        <RowTable<Refund>
          list={refunds}
          what="refunds"
          columns={COLUMNS_OF_PAYMENT}
          keyOf={(refund) => refund.sid}
          empty={null}
        />
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
