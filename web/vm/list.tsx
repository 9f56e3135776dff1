import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Allocation, Runway } from '../surface.ts';
import { Button } from '../ui/button.tsx';
import { Copyable } from '../ui/copyable.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { Money } from '../ui/money.tsx';
import { Card } from '../ui/page.tsx';
import { Pills } from '../ui/select.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { ReleaseDialog } from './release-dialog.tsx';
import { VmBadge } from './state-badge.tsx';
import { isMoving, lastsText, RELEASE_REASONS } from './words.ts';

const SHOWN = [
  ['open', 'In use'],
  ['released', 'Given back'],
  ['failed', 'Failed'],
] as const;
type Shown = (typeof SHOWN)[number][0];

const MOVING_MS = 3_000;
const CALM_MS = 10_000;

interface VmsProps {
  readonly walletSid: string;
  readonly runway: Runway | null;
  readonly mayChange: boolean;
  readonly hasPlan: boolean;
}

/** The VMs that there are, and those that were. */
export function Vms({ walletSid, runway, mayChange, hasPlan }: VmsProps): ReactElement {
  const [shown, setShown] = useState<Shown>('open');
  const [going, setGoing] = useState<Allocation | null>(null);
  const columns = shown === 'open' ? openColumns(runway, mayChange ? setGoing : null) : PAST_COLUMNS;
  return (
    <>
      <Card title="Your VMs">
        <div className="px-5 py-4 sm:px-6">
          <Pills label="VMs shown" value={shown} options={SHOWN} onChange={setShown} />
        </div>
        <List<Allocation>
          what="VMs"
          path="/v1/allocations"
          query={{ wallet_sid: walletSid, state: shown }}
          refreshMs={(rows) => (rows.some(isMoving) ? MOVING_MS : CALM_MS)}
          columns={columns}
          keyOf={({ sid }) => sid}
          empty={<Nothing shown={shown} hasPlan={hasPlan} />}
        />
      </Card>
      {going !== null && <ReleaseDialog vm={going} onClose={() => setGoing(null)} />}
    </>
  );
}

function Nothing({ shown, hasPlan }: { readonly shown: Shown; readonly hasPlan: boolean }): ReactElement {
  if (shown === 'released')
    return <EmptyState title="None was given back">What you give back is listed here.</EmptyState>;
  if (shown === 'failed')
    return <EmptyState title="None has failed">What could not be made is listed here.</EmptyState>;
  return (
    <EmptyState title="No VMs">
      {hasPlan ? 'Ask for one with the button above.' : 'With a plan you can have some.'}
    </EmptyState>
  );
}

const addressOf = (vm: Allocation): ReactElement =>
  vm.address === null ? (
    <span className="text-soft">no address yet</span>
  ) : (
    <Copyable text={vm.address} what="Address" />
  );

function openColumns(runway: Runway | null, release: ((vm: Allocation) => void) | null): readonly Column<Allocation>[] {
  const shares = new Map(runway?.vms.map((vm) => [vm.allocation_sid, vm]));
  return [
    {
      title: 'VM',
      cell: (vm) => (
        <>
          <span className="font-medium">{vm.name}</span>
          <p className="mt-0.5 text-xs">{addressOf(vm)}</p>
          <p className="mt-1 md:hidden">
            <VmBadge vm={vm} />
          </p>
          <p className="mt-1 text-xs text-soft md:hidden">
            until <Time at={vm.expires_at} />
          </p>
        </>
      ),
    },
    { title: 'State', isExtra: true, cell: (vm) => <VmBadge vm={vm} /> },
    { title: 'Paid until', isExtra: true, cell: (vm) => <Time at={vm.expires_at} /> },
    {
      title: 'An hour',
      isAmount: true,
      cell: (vm) => (
        <>
          <Cost share={shares.get(vm.sid)} />
          {release !== null && vm.state !== 'releasing' && (
            <p className="mt-1 whitespace-nowrap">
              <Button look="plain" size="small" label={`Give back ${vm.name}`} onPress={() => release(vm)}>
                Give back
              </Button>
            </p>
          )}
        </>
      ),
    },
  ];
}

/** What a VM costs, as its share of the plan. */
const Cost = ({ share }: { readonly share: Runway['vms'][number] | undefined }): ReactElement | null =>
  share === undefined ? null : (
    <>
      <Money amount={share.per_hour} />
      {share.hours !== null && share.hours > 0 && (
        <p className="mt-0.5 text-xs whitespace-normal text-soft">enough for {lastsText(share.hours)} of it</p>
      )}
    </>
  );

const PAST_COLUMNS: readonly Column<Allocation>[] = [
  {
    title: 'VM',
    cell: (vm) => (
      <>
        <span className="font-medium">{vm.name}</span>
        <p className="mt-0.5 text-xs text-soft">
          asked for <Time at={vm.created_at} />
        </p>
        {vm.problem !== null && <p className="mt-0.5 text-xs text-bad">{vm.problem}</p>}
      </>
    ),
  },
  {
    title: 'Ended',
    cell: (vm) => (
      <>
        {vm.released_at === null ? <VmBadge vm={vm} /> : <Time at={vm.released_at} />}
        {vm.release_reason !== null && <p className="mt-0.5 text-xs text-soft">{RELEASE_REASONS[vm.release_reason]}</p>}
      </>
    ),
  },
];
