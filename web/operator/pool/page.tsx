import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Machine } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { Card, PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { AddDialog } from './add-dialog.tsx';
import { AutoRelease } from './auto-release.tsx';
import { Counts } from './counts.tsx';
import { MachineDialog, type Deed } from './machine-dialog.tsx';
import { labelsText, STATES } from './words.ts';

const SHOWN = [
  ['', 'All'],
  ['free', 'Free'],
  ['allocated', 'In use'],
  ['cleaning', 'To be cleaned'],
  ['removed', 'Removed'],
] as const;
type Shown = (typeof SHOWN)[number][0];

interface Asked {
  readonly deed: Deed;
  readonly machine: Machine;
}

/** The machines that VMs are on, and what becomes of those that are given back. */
export function OperatorPoolPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [isAdding, setAdding] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const wanted = params.get('state');
  const state: Shown = SHOWN.find(([value]) => value === wanted)?.[0] ?? '';
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Pool" />
        <Button onPress={() => setAdding(true)}>Add machines…</Button>
      </div>
      <p className="max-w-2xl text-soft">
        Each machine is one VM of its size. A machine that is given back has to be cleaned, and confirmed clean, before
        somebody else gets it.
      </p>
      <Counts />
      <AutoRelease />
      <Card title="Machines">
        <div className="px-5 py-4 sm:px-6">
          <Pills
            label="State"
            value={state}
            options={SHOWN}
            onChange={(value) => setParams(value === '' ? {} : { state: value }, { replace: true })}
          />
        </div>
        <List<Machine>
          what="machines"
          path="/v1/machines"
          query={{ state: state === '' ? undefined : state }}
          refreshMs={15_000}
          columns={columnsOf((deed, machine) => setAsked({ deed, machine }))}
          keyOf={({ sid }) => sid}
          empty={
            state === '' ? (
              <EmptyState title="The pool is empty">
                Nobody can have a VM of it. Add machines with the button above, or let a back end of yours give VMs.
              </EmptyState>
            ) : (
              <EmptyState title="None in this state">Choose another one to see more.</EmptyState>
            )
          }
        />
      </Card>
      {isAdding && <AddDialog onClose={() => setAdding(false)} />}
      {asked !== null && <MachineDialog {...asked} onClose={() => setAsked(null)} />}
    </div>
  );
}

function Badges({ machine }: { readonly machine: Machine }): ReactElement {
  const [tone, text] = STATES[machine.state];
  return (
    <span className="flex flex-wrap gap-1">
      <Badge tone={tone} text={text} />
      {machine.is_draining && machine.state !== 'removed' && <Badge tone="warn" text="Draining" />}
      {machine.is_stopped && <Badge tone="bad" text="Stands still" />}
    </span>
  );
}

const Vm = ({ machine: { allocation, changed_at: changedAt } }: { readonly machine: Machine }): ReactElement => (
  <>
    {allocation !== null && <span>{allocation.name}</span>}
    <p className="mt-0.5 text-xs text-soft">
      since <Time at={changedAt} />
    </p>
  </>
);

const columnsOf = (ask: (deed: Deed, machine: Machine) => void): readonly Column<Machine>[] => [
  {
    title: 'Machine',
    cell: (machine) => (
      <>
        <span className="font-medium">{machine.host}</span>
        <p className="mt-0.5 font-mono text-xs break-all text-soft">{machine.address}</p>
        <p className="mt-0.5 text-xs text-soft">
          {[machine.size, labelsText(machine.labels)].filter((text) => text !== '').join(' · ')}
        </p>
        <div className="mt-1 md:hidden">
          <Badges machine={machine} />
        </div>
        {machine.allocation !== null && <p className="mt-1 text-xs md:hidden">VM {machine.allocation.name}</p>}
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (machine) => <Badges machine={machine} /> },
  { title: 'VM', isExtra: true, cell: (machine) => <Vm machine={machine} /> },
  {
    title: 'Change',
    isAmount: true,
    cell: (machine) => (
      <span className="inline-flex flex-col items-end gap-1 whitespace-nowrap">
        {DEEDS_OF[machine.state].map((deed) => (
          <DeedButton
            key={deed}
            deed={deed === 'drain' && machine.is_draining ? 'undrain' : deed}
            machine={machine}
            ask={ask}
          />
        ))}
      </span>
    ),
  },
];

const DEEDS_OF: Readonly<Record<Machine['state'], readonly Deed[]>> = {
  free: ['drain', 'remove'],
  allocated: ['drain'],
  cleaning: ['confirm', 'drain'],
  removed: [],
};

const TITLES: Readonly<Record<Deed, string>> = {
  drain: 'Drain',
  undrain: 'Use again',
  remove: 'Remove',
  confirm: 'Confirm clean',
};

interface DeedButtonProps extends Asked {
  readonly ask: (deed: Deed, machine: Machine) => void;
}

const DeedButton = ({ deed, machine, ask }: DeedButtonProps): ReactElement => (
  <Button
    look="plain"
    size="small"
    label={`${TITLES[deed]}: ${machine.host}, ${machine.address}`}
    onPress={() => ask(deed, machine)}
  >
    {TITLES[deed]}
  </Button>
);
