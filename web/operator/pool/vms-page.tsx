import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Allocation } from '../../surface.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { ReleaseDialog } from '../../vm/release-dialog.tsx';
import { VmBadge } from '../../vm/state-badge.tsx';
import { RELEASE_REASONS } from '../../vm/words.ts';
import { WalletLink } from '../wallet-link.tsx';

const SHOWN = [
  ['open', 'In use'],
  ['requested', 'On their way'],
  ['suspended', 'Stopped'],
  ['releasing', 'Being given back'],
  ['released', 'Given back'],
  ['failed', 'Failed'],
] as const;
type Shown = (typeof SHOWN)[number][0];

/** The VMs of all wallets. */
export function OperatorVmsPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [going, setGoing] = useState<Allocation | null>(null);
  const asked = params.get('state');
  const state: Shown = SHOWN.find(([value]) => value === asked)?.[0] ?? 'open';
  return (
    <div className="space-y-6">
      <PageTitle title="VMs" />
      <p className="max-w-2xl text-soft">
        Which wallet has which VM. What is on its way is asked for until whoever gives VMs says what became of it.
      </p>
      <Pills
        label="State"
        value={state}
        options={SHOWN}
        onChange={(value) => setParams(value === 'open' ? {} : { state: value }, { replace: true })}
      />
      <section aria-label="VMs" className="card overflow-hidden">
        <List<Allocation>
          what="VMs"
          path="/v1/allocations"
          query={{ state }}
          refreshMs={15_000}
          columns={columnsOf(setGoing)}
          keyOf={({ sid }) => sid}
          empty={
            state === 'open' ? (
              <EmptyState title="Nobody has a VM">Whoever asks for one is listed here.</EmptyState>
            ) : (
              <EmptyState title="None in this state">Choose another one to see more.</EmptyState>
            )
          }
        />
      </section>
      {going !== null && <ReleaseDialog vm={going} onClose={() => setGoing(null)} />}
    </div>
  );
}

const placeOf = ({ host, address }: Allocation): string =>
  [host, address].filter((text) => text !== null).join(' · ') || 'no place yet';

const columnsOf = (release: (vm: Allocation) => void): readonly Column<Allocation>[] => [
  {
    title: 'VM',
    cell: (vm) => (
      <>
        <span className="font-medium">{vm.name}</span>
        <p className="mt-0.5 font-mono text-xs break-all text-soft">{placeOf(vm)}</p>
        {vm.problem !== null && <p className="mt-0.5 text-xs text-bad">{vm.problem}</p>}
        <p className="mt-1 md:hidden">
          <VmBadge vm={vm} />
        </p>
        <p className="mt-1 md:hidden">
          <WalletLink sid={vm.wallet_sid} />
        </p>
      </>
    ),
  },
  { title: 'Wallet', isExtra: true, cell: (vm) => <WalletLink sid={vm.wallet_sid} /> },
  { title: 'State', isExtra: true, cell: (vm) => <VmBadge vm={vm} /> },
  {
    title: 'Until',
    isAmount: true,
    cell: (vm) => (
      <>
        <span className="text-xs whitespace-normal">
          <Time at={vm.released_at ?? vm.expires_at} />
        </span>
        {vm.release_reason !== null && (
          <p className="mt-0.5 text-xs whitespace-normal text-soft">{RELEASE_REASONS[vm.release_reason]}</p>
        )}
        {['requested', 'active', 'suspended'].includes(vm.state) && (
          <p className="mt-1">
            <Button
              look="plain"
              size="small"
              label={`Give back ${vm.name} of ${vm.wallet_sid}`}
              onPress={() => release(vm)}
            >
              Give back
            </Button>
          </p>
        )}
      </>
    ),
  },
];
