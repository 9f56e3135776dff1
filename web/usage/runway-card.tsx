import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import type { Runway } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { formatMoney, isZero } from '../ui/money.ts';
import { Balance, Money } from '../ui/money.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';

/** How long the money lasts. */
export function RunwayCard({ walletSid }: { readonly walletSid: string }): ReactElement {
  const runway = useQuery<Runway, Problem>({
    queryKey: ['runway', walletSid],
    queryFn: ({ signal }) => get<Runway>(`/v1/billings/${seg(walletSid)}/runway`, { signal }),
    refetchInterval: 60_000,
  });
  return (
    <Card title="Runway">
      {runway.isPending && <Loading what="the runway" />}
      {!runway.data && runway.error && (
        <div className="p-4">
          <ProblemBanner problem={runway.error} retry={() => void runway.refetch()} />
        </div>
      )}
      {runway.data && <Outlook runway={runway.data} />}
    </Card>
  );
}

function Outlook({ runway }: { readonly runway: Runway }): ReactElement {
  const [lasts, atThisRate] = runway.text.split(' at the present rate');
  return (
    <div className="p-5 sm:p-6">
      <p className="text-2xl font-semibold tracking-tight" data-testid="runway">
        {sentence(lasts ?? runway.text)}
      </p>
      <p className="text-sm text-soft">
        {atThisRate === undefined ? 'Nothing is being spent at the moment.' : 'at the present rate'}
      </p>
      <dl className="mt-4 space-y-1.5 text-sm">
        <Fact name="Balance">
          <Balance amount={runway.available} />
        </Fact>
        {!isZero(runway.per_hour) && (
          <Fact name="Spent an hour (last 24 h)">
            <Money amount={runway.per_hour} />
          </Fact>
        )}
        {runway.empty_at !== null && (
          <Fact name="Empty around">
            <Time at={runway.empty_at} />
          </Fact>
        )}
      </dl>
      <span className="sr-only">{`The exact balance is ${formatMoney(runway.available)}.`}</span>
    </div>
  );
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function Fact({ name, children }: { readonly name: string; readonly children: ReactElement }): ReactElement {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-soft">{name}</dt>
      <dd className="text-right font-medium">{children}</dd>
    </div>
  );
}
