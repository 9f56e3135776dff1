import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import type { SshKey } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useToast } from '../ui/toast.tsx';

interface RemoveProps {
  readonly of: SshKey;
  readonly onClose: () => void;
}

export function RemoveDialog({ of: key, onClose }: RemoveProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const remove = useMutation<SshKey, Problem>({
    mutationFn: () => post<SshKey>(`/v1/ssh-keys/${seg(key.sid)}/remove`),
    onSuccess: async () => {
      say(`${key.name} is removed.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/ssh-keys'] });
    },
  });
  return (
    <Dialog title={`Remove ${key.name}?`} onClose={onClose}>
      <div className="space-y-4">
        <Banner tone="warn">VMs that have it keep it. If it was stolen, take it off each of them as well.</Banner>
        <p className="font-mono text-xs break-all text-soft">{key.fingerprint}</p>
        <ProblemBanner problem={remove.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" isBusy={remove.isPending} onPress={() => remove.mutate()}>
            Remove it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
