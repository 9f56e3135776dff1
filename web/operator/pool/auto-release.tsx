import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { get, post } from '../../api.ts';
import type { LastAutoRelease, ReleaseCounts } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Card, Loading } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';

const PATH = '/admin/auto-release';

/** When VMs whose time is over were last taken back, what that came to, and the button that does it now. */
export function AutoRelease(): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const last = useQuery<LastAutoRelease, Problem>({
    queryKey: [PATH],
    queryFn: ({ signal }) => get<LastAutoRelease>(PATH, { signal }),
    refetchInterval: 30_000,
  });
  const run = useMutation<ReleaseCounts, Problem>({
    mutationFn: () => post<ReleaseCounts>('/admin/auto-release-now'),
    onSuccess: async ({ examined, released, errors }) => {
      say(`${examined} looked at, ${released} taken back, ${errors} failed.`);
      await queries.invalidateQueries();
    },
  });
  const latest = last.data?.last_run ?? null;
  return (
    <Card
      title="Auto-release"
      aside={
        <Button look="quiet" size="small" isBusy={run.isPending} onPress={() => run.mutate()}>
          Release now
        </Button>
      }
    >
      <div className="space-y-4 p-5 sm:p-6">
        <p className="text-sm text-soft">
          VMs go strictly after the end of what is paid, when their plan has ended or does not renew. It runs every
          minute by itself.
        </p>
        {last.isPending && <Loading what="the last run" />}
        <ProblemBanner problem={run.error ?? (last.data ? null : last.error)} />
        {last.data && latest === null && <Banner>It has not run yet.</Banner>}
        {latest !== null && (
          <Facts
            facts={[
              ['Last run', <Time key="ran" at={latest.ran_at} />],
              ['Their time is over', latest.examined],
              ['Of them to go', latest.expired],
              ['Taken back', latest.released],
              ['Taken back before', latest.already_released],
              ['Failed', latest.errors],
            ]}
          />
        )}
        {latest !== null && latest.errors > 0 && (
          <Banner tone="bad">
            Whoever gives VMs did not say that {latest.errors === 1 ? 'one goes' : `${latest.errors} go`}. They are
            asked again by every run; the page of VMs says what stands in the way.
          </Banner>
        )}
      </div>
    </Card>
  );
}
