import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import type { LadderStanding, Page } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';

/** Where the wallet stands on the discount ladders. */
export function LadderCard({ walletSid }: { readonly walletSid: string }): ReactElement {
  const standings = useQuery<Page<LadderStanding>, Problem>({
    queryKey: ['ladder', walletSid],
    queryFn: ({ signal }) => get<Page<LadderStanding>>(`/v1/billings/${seg(walletSid)}/ladder`, { signal }),
    refetchInterval: 60_000,
  });
  return (
    <Card title="Discount for continuous use">
      {standings.isPending && <Loading what="the discounts" />}
      {!standings.data && standings.error && (
        <div className="p-4">
          <ProblemBanner problem={standings.error} retry={() => void standings.refetch()} />
        </div>
      )}
      {standings.data?.items.length === 0 && (
        <EmptyState title="No discounts">Long use is not discounted on this server.</EmptyState>
      )}
      <ul>
        {standings.data?.items.map((standing) => (
          <Standing key={standing.category} standing={standing} />
        ))}
      </ul>
    </Card>
  );
}

function Standing({ standing }: { readonly standing: LadderStanding }): ReactElement {
  const { category, multiplier, since, next, ends_at: endsAt } = standing;
  return (
    <li className="border-b border-line px-5 py-3.5 last:border-0 sm:px-6">
      <div className="flex items-baseline justify-between gap-4">
        <span className="min-w-0 font-medium break-all">{category}</span>
        <span className="font-semibold whitespace-nowrap tabular-nums" aria-label={`times ${multiplier}`}>
          × {multiplier}
        </span>
      </div>
      <p className="mt-0.5 text-sm text-soft">{next === null ? last(multiplier) : ahead(next, since === null)}</p>
      {since !== null && (
        <p className="text-xs text-soft">
          In use since <Time at={since} />
          {endsAt !== null && (
            <>
              ; begins anew if nothing is used until <Time at={endsAt} />
            </>
          )}
        </p>
      )}
    </li>
  );
}

const last = (multiplier: string): string =>
  multiplier === '1' ? 'No discount at the moment.' : 'The last rung: it does not get cheaper.';

/** "next rung in 12 days: × 0.5" */
function ahead({ text, multiplier }: NonNullable<LadderStanding['next']>, isIdle: boolean): string {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}: × ${multiplier}`;
  return isIdle ? `${sentence}, once something is used` : sentence;
}
