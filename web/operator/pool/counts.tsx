import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { get } from '../../api.ts';
import type { MachineCount, Page } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import type { Column } from '../../ui/table.tsx';
import { Table } from '../../ui/table.tsx';

const COLUMNS: readonly Column<MachineCount>[] = [
  { title: 'Size', cell: ({ size }) => <span className="font-medium">{size}</span> },
  { title: 'Free', isAmount: true, cell: ({ free }) => free },
  { title: 'In use', isAmount: true, cell: ({ allocated }) => allocated },
  { title: 'To be cleaned', isAmount: true, cell: ({ cleaning }) => cleaning },
  { title: 'Draining', isAmount: true, cell: ({ draining }) => draining },
];

/** How many machines there are of each size; nothing while there is none. */
export function Counts(): ReactElement | null {
  const counts = useQuery<Page<MachineCount>, Problem>({
    queryKey: ['/v1/machine-counts'],
    queryFn: ({ signal }) => get<Page<MachineCount>>('/v1/machine-counts', { signal }),
    refetchInterval: 15_000,
  });
  if (!counts.data) {
    return counts.error && <ProblemBanner problem={counts.error} retry={() => void counts.refetch()} />;
  }
  if (counts.data.items.length === 0) return null;
  return (
    <section aria-label="Counts" className="card overflow-hidden">
      <Table caption="machines by size" columns={COLUMNS} rows={counts.data.items} keyOf={({ size }) => size} />
    </section>
  );
}
