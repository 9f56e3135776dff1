import type { ReactElement } from 'react';
import { useSession } from '../session.ts';
import { PageTitle } from '../ui/page.tsx';
import { UsageOverview } from './overview.tsx';

/** What the visitor's own wallet was charged for. */
export function UsagePage(): ReactElement {
  const { user } = useSession();
  return (
    <div className="space-y-6">
      <PageTitle title="Usage" />
      <UsageOverview walletSid={user?.wallet_sid ?? ''} />
    </div>
  );
}
