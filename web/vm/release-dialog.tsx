import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import type { Allocation } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useToast } from '../ui/toast.tsx';

interface ReleaseProps {
  readonly vm: Allocation;
  readonly onClose: () => void;
}

/** Gives a VM back for good. */
export function ReleaseDialog({ vm, onClose }: ReleaseProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const release = useMutation<Allocation, Problem>({
    mutationFn: () => post<Allocation>(`/v1/allocations/${seg(vm.sid)}/release`),
    onSuccess: async ({ state }) => {
      say(state === 'released' ? `${vm.name} is given back.` : `${vm.name} is being given back.`);
      onClose();
      await queries.invalidateQueries();
    },
  });
  return (
    <Dialog title={`Give ${vm.name} back?`} onClose={onClose}>
      <div className="space-y-4">
        <Banner tone="warn">Its disk is wiped. What is on it cannot be had again.</Banner>
        <p className="text-sm">
          The plan costs the same. Its place is free for another VM when the machine is confirmed clean.
        </p>
        <ProblemBanner problem={release.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" isBusy={release.isPending} onPress={() => release.mutate()}>
            Give it back
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
