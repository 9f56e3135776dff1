import type { UseQueryResult } from '@tanstack/react-query';
import { useQuery } from '@tanstack/react-query';
import type { Problem, Rows } from '../api.ts';
import { getAll, seg } from '../api.ts';
import type { UsageSum } from '../surface.ts';
import { lastDays } from '../ui/time.ts';

export type SumGroup = 'day' | 'category' | 'node' | 'resource_kind';

/** Usage of the last days of UTC, added up. The chart and the table of days share one answer. */
export const useSums = (
  walletSid: string,
  { by, days }: { readonly by: SumGroup; readonly days: number },
): UseQueryResult<Rows<UsageSum>, Problem> =>
  useQuery<Rows<UsageSum>, Problem>({
    queryKey: ['usage', walletSid, by, days],
    queryFn: ({ signal }) =>
      getAll<UsageSum>(`/v1/billings/${seg(walletSid)}/usage`, { query: { by, from: lastDays(days)[0] }, signal }),
    refetchInterval: 60_000,
  });
