import type { ReactElement } from 'react';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { PageTitle } from '../ui/page.tsx';
import { UsageOverview } from './overview.tsx';

/** What the chosen wallet was charged for. */
export function UsagePage(): ReactElement {
  const { wallet } = useChosenWallet();
  return (
    <div className="space-y-6">
      <PageTitle title="Usage" />
      <UsageOverview walletSid={wallet.wallet_sid} />
    </div>
  );
}
