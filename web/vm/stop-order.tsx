import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { Problem } from '../api.ts';
import { patch, seg } from '../api.ts';
import type { Allocation, Runway } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/page.tsx';
import { useToast } from '../ui/toast.tsx';

type Vm = Runway['vms'][number];

const PLACE_MAX = 1_000;

/** Which VM stops first when the money runs out: moved up and down, then kept. */
export function StopOrder({ vms }: { readonly vms: readonly Vm[] }): ReactElement {
  const [draft, setDraft] = useState<readonly string[] | null>(null);
  const [moved, setMoved] = useState<{ readonly sid: string; readonly by: -1 | 1 } | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const queries = useQueryClient();
  const say = useToast();
  const shown = ordered(vms, draft);
  // The row that was moved took its buttons along; the one that was pressed keeps the focus.
  useEffect(() => {
    if (moved) list.current?.querySelector<HTMLElement>(`[data-move="${moved.sid} ${moved.by}"] button`)?.focus();
  }, [moved]);
  const keep = useMutation<void, Problem>({
    mutationFn: async () => {
      for (const [index, vm] of shown.entries()) {
        const place = Math.min(index, PLACE_MAX);
        if (vm.stop_order === place) continue;
        await patch<Allocation>(`/v1/allocations/${seg(vm.allocation_sid)}`, { stop_order: place });
      }
    },
    onSuccess: async () => {
      await queries.invalidateQueries();
      setDraft(null);
      say('The order is kept.');
    },
  });
  const move = (index: number, by: -1 | 1): void => {
    const sids = shown.map((vm) => vm.allocation_sid);
    const [sid] = sids.splice(index, 1);
    if (sid === undefined) return;
    sids.splice(index + by, 0, sid);
    setDraft(sids);
    setMoved({ sid, by });
  };
  return (
    <Card title="Which stops first">
      <p className="px-5 pt-4 text-sm text-soft sm:px-6">
        When the wallet is suspended its VMs stop in this order, one after another, with what is on them kept.
      </p>
      <ol ref={list} className="divide-y divide-line">
        {shown.map((vm, index) => (
          <li key={vm.allocation_sid} className="flex items-center justify-between gap-4 px-5 py-2.5 sm:px-6">
            <span className="min-w-0 font-medium">
              <span className="mr-2 text-soft tabular-nums">{index + 1}.</span>
              {vm.name}
            </span>
            <span className="flex shrink-0 gap-1">
              <Move vm={vm} by={-1} isOff={index === 0} onPress={() => move(index, -1)} />
              <Move vm={vm} by={1} isOff={index === shown.length - 1} onPress={() => move(index, 1)} />
            </span>
          </li>
        ))}
      </ol>
      {draft !== null && (
        <div className="flex flex-wrap items-center justify-end gap-3 border-t border-line p-4">
          <ProblemBanner problem={keep.error} />
          <Button look="quiet" size="small" onPress={() => setDraft(null)}>
            As it was
          </Button>
          <Button size="small" isBusy={keep.isPending} onPress={() => keep.mutate()}>
            Keep this order
          </Button>
        </div>
      )}
    </Card>
  );
}

/** As somebody has drafted it; what has come since is behind, and what has gone is gone. */
function ordered(vms: readonly Vm[], draft: readonly string[] | null): readonly Vm[] {
  if (draft === null) return vms;
  const placeOf = ({ allocation_sid: sid }: Vm): number => (draft.includes(sid) ? draft.indexOf(sid) : draft.length);
  return vms.toSorted((one, other) => placeOf(one) - placeOf(other));
}

interface MoveProps {
  readonly vm: Vm;
  readonly by: -1 | 1;
  readonly isOff: boolean;
  readonly onPress: () => void;
}

const Move = ({ vm, by, isOff, onPress }: MoveProps): ReactElement => (
  <span data-move={`${vm.allocation_sid} ${by}`} className={isOff ? 'invisible' : undefined}>
    <Button look="plain" size="small" label={by === -1 ? `Earlier: ${vm.name}` : `Later: ${vm.name}`} onPress={onPress}>
      {by === -1 ? 'Earlier' : 'Later'}
    </Button>
  </span>
);
