import type { ReactElement } from 'react';
import { useState } from 'react';
import { Card } from '../ui/page.tsx';
import { Pills } from '../ui/select.tsx';
import { HoldList } from '../wallet/hold-list.tsx';
import { DayChart } from './day-chart.tsx';
import { LadderCard } from './ladder-card.tsx';
import { RunwayCard } from './runway-card.tsx';
import { Sums } from './sums.tsx';

const PERIODS = [
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
] as const;
type Period = (typeof PERIODS)[number][0];

/** How a wallet is used: what lies ahead, what was used by day and kind, and what is set aside. */
export function UsageOverview({ walletSid }: { readonly walletSid: string }): ReactElement {
  const [period, setPeriod] = useState<Period>('30');
  const days = Number(period);
  return (
    <div className="space-y-6">
      <div className="grid gap-6 md:grid-cols-2">
        <RunwayCard walletSid={walletSid} />
        <LadderCard walletSid={walletSid} />
      </div>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-lg font-semibold">What was used</h2>
        <Pills label="Period" value={period} options={PERIODS} onChange={setPeriod} />
      </div>
      <DayChart key={`chart-${period}`} walletSid={walletSid} days={days} />
      <Sums key={`sums-${period}`} walletSid={walletSid} days={days} />
      <Card title="Open holds">
        <HoldList walletSid={walletSid} isOpenOnly />
      </Card>
    </div>
  );
}
