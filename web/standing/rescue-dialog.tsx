import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import type { Standing } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { formatTime } from '../ui/time.ts';
import { useToast } from '../ui/toast.tsx';

interface RescueProps {
  readonly walletSid: string;
  readonly onClose: () => void;
}

/** Starts the VMs of a suspended wallet once. */
export function RescueDialog({ walletSid, onClose }: RescueProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const rescue = useMutation<Standing, Problem>({
    mutationFn: () => post<Standing>(`/v1/billings/${seg(walletSid)}/standing/rescue`),
    onSuccess: async ({ rescue: { until } }) => {
      say(until === null ? 'The VMs start.' : `The VMs start, and run until ${formatTime(until)}.`);
      onClose();
      await queries.invalidateQueries();
    },
  });
  return (
    <Dialog title="Start the VMs once more?" onClose={onClose}>
      <div className="space-y-4">
        <p>
          They run for some hours without charge, so that you can fetch what is on them, and stop again by themselves.
          This can be done once until the wallet is paid: be ready to fetch before you start.
        </p>
        <ProblemBanner problem={rescue.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Not now
          </Button>
          <Button isBusy={rescue.isPending} onPress={() => rescue.mutate()}>
            Start them
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
