import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { patch, post, seg } from '../../api.ts';
import type { Machine } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useToast } from '../../ui/toast.tsx';

export type Deed = 'drain' | 'undrain' | 'remove' | 'confirm';

interface Words {
  readonly title: (host: string) => string;
  readonly what: string;
  readonly button: string;
  readonly done: (host: string) => string;
}

const WORDS: Readonly<Record<Deed, Words>> = {
  drain: {
    title: (host) => `Drain ${host}?`,
    what: 'It is given to nobody any more. Whoever has it keeps it until they give it back; then it can be removed.',
    button: 'Drain it',
    done: (host) => `${host} is given to nobody any more.`,
  },
  undrain: {
    title: (host) => `Use ${host} again?`,
    what: 'When it is free the next VM of its size is on it.',
    button: 'Use it again',
    done: (host) => `${host} is in use again.`,
  },
  remove: {
    title: (host) => `Remove ${host}?`,
    what: 'It is free, so nobody loses anything. Its address can be added anew.',
    button: 'Remove it',
    done: (host) => `${host} is out of the pool.`,
  },
  confirm: {
    title: (host) => `Is ${host} clean?`,
    what:
      'Its disk is wiped, and the SSH keys of whoever had it are gone. From now on it is free for somebody else: whatever ' +
      'is left on it would be theirs to read.',
    button: 'It is clean',
    done: (host) => `${host} is confirmed clean.`,
  },
};

interface MachineDialogProps {
  readonly deed: Deed;
  readonly machine: Machine;
  readonly onClose: () => void;
}

/** What is about to be done with a machine, and the button that does it. */
export function MachineDialog({ deed, machine, onClose }: MachineDialogProps): ReactElement {
  const words = WORDS[deed];
  const queries = useQueryClient();
  const say = useToast();
  const act = useMutation<Machine, Problem>({
    mutationFn: () => send(deed, machine.sid),
    onSuccess: async () => {
      say(words.done(machine.host));
      onClose();
      await queries.invalidateQueries();
    },
  });
  return (
    <Dialog title={words.title(machine.host)} onClose={onClose}>
      <div className="space-y-4">
        <p className="font-mono text-xs break-all text-soft">{machine.address}</p>
        <p>{words.what}</p>
        <ProblemBanner problem={act.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            {deed === 'confirm' ? 'Not yet' : 'Leave it'}
          </Button>
          <Button look={deed === 'remove' ? 'danger' : 'primary'} isBusy={act.isPending} onPress={() => act.mutate()}>
            {words.button}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function send(deed: Deed, sid: string): Promise<Machine> {
  const path = `/v1/machines/${seg(sid)}`;
  if (deed === 'remove') return post<Machine>(`${path}/remove`);
  if (deed === 'confirm') return post<Machine>(`${path}/confirm-clean`);
  return patch<Machine>(path, { is_draining: deed === 'drain' });
}
