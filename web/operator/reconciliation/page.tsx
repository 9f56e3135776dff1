import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { get, post } from '../../api.ts';
import type { AccountReport, ReconciliationRun } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading, PageTitle } from '../../ui/page.tsx';
import { useToast } from '../../ui/toast.tsx';
import { AccountCard } from './account-card.tsx';
import { MovementQueue } from './queue.tsx';

const PATH = '/v1/reconciliation';

/** What the providers say of their accounts, beside our books, and the money that nobody has explained. */
export function OperatorReconciliationPage(): ReactElement {
  const report = useQuery<{ readonly accounts: readonly AccountReport[] }, Problem>({
    queryKey: [PATH],
    queryFn: ({ signal }) => get(PATH, { signal }),
  });
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-start justify-between gap-4">
        <PageTitle title="Reconciliation" />
        <ReadNow />
      </div>
      <p className="max-w-2xl text-soft">
        Every hour each provider’s own account statement is read and held against our books, line by line. What one side
        has and the other has not is listed here.
      </p>
      {report.isPending && <Loading what="the accounts" />}
      <ProblemBanner problem={report.error} retry={() => void report.refetch()} />
      {report.data?.accounts.length === 0 && (
        <div className="card">
          <EmptyState title="No statement has been read yet">The first one is read within the hour, or now.</EmptyState>
        </div>
      )}
      {report.data?.accounts.map((account) => (
        <AccountCard key={`${account.provider} ${account.account}`} account={account} />
      ))}
      <MovementQueue />
    </div>
  );
}

function ReadNow(): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const read = useMutation<ReconciliationRun, Problem>({
    mutationFn: () => post<ReconciliationRun>('/v1/reconciliation/run'),
    onSuccess: async ({ accounts, failed }) => {
      if (failed.length === 0) say(accounts.length === 1 ? 'The statement was read.' : 'The statements were read.');
      await queries.invalidateQueries();
    },
  });
  return (
    <div className="space-y-2">
      <Button look="quiet" isBusy={read.isPending} onPress={() => read.mutate()}>
        {read.isPending ? 'Reading…' : 'Read the statements now'}
      </Button>
      <ProblemBanner problem={read.error} />
      {read.data?.failed.map(({ provider, reason }) => (
        <Banner key={provider} tone="warn">
          {provider} could not be read: {reason} It is tried again every hour.
        </Banner>
      ))}
    </div>
  );
}
