import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import { useIntent } from '../intent.ts';
import type { Payment } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { formatMoney } from '../ui/money.ts';

/** What the bank refused without its owner is paid by the owner on a page; auto-recharge goes on when it has arrived. */
export function Confirm({ payment }: { readonly payment: Payment }): ReactElement {
  const intent = useIntent();
  const [, navigate] = useLocation();
  const { provider, amount } = payment;
  const pay = useMutation<Payment, Problem>({
    mutationFn: () =>
      intent.run(payment.sid, (idempotencyKey) =>
        post<Payment>('/v1/payments', { provider, amount }, { idempotencyKey }),
      ),
    onSuccess: (order) => {
      if (order.checkout_url === null) navigate(`/payments/${seg(order.sid)}`);
      else window.location.assign(order.checkout_url);
    },
  });
  return (
    <div>
      <Button isWide isBusy={pay.isPending || pay.isSuccess} onPress={() => pay.mutate()}>
        Confirm and pay {formatMoney(amount)}
      </Button>
      <p className="mt-1.5 text-xs text-soft">Opens the checkout page. Auto-recharge goes on once the money is here.</p>
      <ProblemBanner problem={pay.error} />
    </div>
  );
}
