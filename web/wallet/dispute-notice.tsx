import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get } from '../api.ts';
import type { Billing, Dispute, Page } from '../surface.ts';
import { Banner } from '../ui/banner.tsx';
import { isNegative } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';

/**
 * Tells the owner of a wallet that a bank has taken a payment back, and what follows from it. Silent when nothing is disputed, and when
 * the list cannot be read: the balance above says what is set aside all the same.
 */
export function DisputeNotice({ wallet }: { readonly wallet: Billing }): ReactElement | null {
  const open = useDisputes(wallet.sid, 'open');
  const lost = useDisputes(wallet.sid, 'lost').filter((dispute) => dispute.freezes_wallet);
  if (open.length === 0 && lost.length === 0) return null;
  const isOwing = isNegative(wallet.credit_balance);
  return (
    <section aria-label="Disputes" className="space-y-3">
      {open.map((dispute) => (
        <Banner key={dispute.sid} tone="warn">
          Your bank disputes a payment of yours: <Money amount={dispute.amount} /> are set aside until it has decided.
          If you did not ask for that, tell your bank that the payment was yours, and write to us.
        </Banner>
      ))}
      {lost.map((dispute) => (
        <Banner key={dispute.sid} tone="bad">
          Your bank has taken a payment back: <Money amount={dispute.lost} /> were taken out of this wallet.
        </Banner>
      ))}
      {wallet.is_frozen && (
        <Banner tone="bad">
          Nothing can be spent from this wallet meanwhile. {isOwing && 'What it owes can be paid in at any time. '}Write
          to us if you want it opened again.
        </Banner>
      )}
    </section>
  );
}

function useDisputes(walletSid: string, state: Dispute['state']): readonly Dispute[] {
  const list = useQuery<Page<Dispute>, Problem>({
    queryKey: ['/v1/disputes', { wallet_sid: walletSid, state }],
    queryFn: ({ signal }) => get<Page<Dispute>>('/v1/disputes', { query: { wallet_sid: walletSid, state }, signal }),
    refetchInterval: 60_000,
  });
  return list.data?.items ?? [];
}
