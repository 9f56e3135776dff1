import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { patch, post, remove, seg } from '../api.ts';
import { useSession } from '../session.ts';
import type { Delivery, Endpoint, EndpointWithSecret } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Select } from '../ui/select.tsx';
import { useToast } from '../ui/toast.tsx';
import { SecretShown } from './secret-shown.tsx';

interface EndpointProps {
  readonly endpoint: Endpoint;
}

export function EndpointActions({ endpoint }: EndpointProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [open, setOpen] = useState<'rotate' | 'remove' | null>(null);
  const path = `/v1/endpoints/${seg(endpoint.sid)}`;
  const isActive = endpoint.state === 'active';
  const test = useMutation<Delivery, Problem>({
    mutationFn: () => post<Delivery>(`${path}/test`),
    onSuccess: async () => {
      say('A test is on its way. What comes of it stands below.');
      await queries.invalidateQueries({ queryKey: [`${path}/deliveries`] });
    },
  });
  const turn = useMutation<Endpoint, Problem>({
    mutationFn: () => patch<Endpoint>(path, { is_active: !isActive }),
    onSuccess: async (changed) => {
      say(changed.state === 'active' ? 'It is on: what was due is sent now.' : 'It is off: what happens waits.');
      await queries.invalidateQueries({ queryKey: ['/v1/endpoints'] });
    },
  });
  const close = (): void => setOpen(null);
  return (
    <div className="space-y-3 border-t border-line pt-4">
      <div className="flex flex-wrap gap-3">
        {isActive && (
          <Button isBusy={test.isPending} onPress={() => test.mutate()}>
            Send a test
          </Button>
        )}
        <Button look="quiet" isBusy={turn.isPending} onPress={() => turn.mutate()}>
          {isActive ? 'Switch off' : 'Switch on'}
        </Button>
        <Button look="quiet" onPress={() => setOpen('rotate')}>
          New secret
        </Button>
        <Button look="danger" onPress={() => setOpen('remove')}>
          Remove
        </Button>
      </div>
      <ProblemBanner problem={test.error ?? turn.error} />
      {open === 'rotate' && <RotateDialog endpoint={endpoint} onClose={close} />}
      {open === 'remove' && <RemoveDialog endpoint={endpoint} onClose={close} />}
    </div>
  );
}

const OVERLAPS = [
  ['0', 'at once: it was stolen or lost'],
  ['3600', 'in an hour'],
  ['86400', 'in a day'],
  ['604800', 'in a week'],
] as const;
type Overlap = (typeof OVERLAPS)[number][0];

interface EndpointDialogProps extends EndpointProps {
  readonly onClose: () => void;
}

function RotateDialog({ endpoint, onClose }: EndpointDialogProps): ReactElement {
  const queries = useQueryClient();
  const [overlap, setOverlap] = useState<Overlap>('86400');
  const rotate = useMutation<EndpointWithSecret, Problem>({
    mutationFn: () =>
      post<EndpointWithSecret>(`/v1/endpoints/${seg(endpoint.sid)}/rotate`, { overlap_seconds: Number(overlap) }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['/v1/endpoints'] }),
  });
  if (rotate.data) {
    return (
      <Dialog title="The new secret" isSticky onClose={onClose}>
        <SecretShown secret={rotate.data.secret} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title="A new secret" onClose={onClose}>
      <div className="space-y-4">
        <Select
          label="The present secret ends"
          name="overlap"
          value={overlap}
          options={OVERLAPS}
          hint="Until then each delivery carries both signatures, so that you can change over at any moment."
          onChange={setOverlap}
        />
        <ProblemBanner problem={rotate.error} />
        <div className="flex justify-end">
          <Button isBusy={rotate.isPending} onPress={() => rotate.mutate()}>
            Make a new secret
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function RemoveDialog({ endpoint, onClose }: EndpointDialogProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const { role } = useSession();
  const [, navigate] = useLocation();
  const gone = useMutation<Endpoint, Problem>({
    mutationFn: () => remove<Endpoint>(`/v1/endpoints/${seg(endpoint.sid)}`),
    onSuccess: async () => {
      say('The endpoint is removed.');
      navigate(role === 'operator' ? '/operator/events' : '/events');
      await queries.invalidateQueries({ queryKey: ['/v1/endpoints'] });
    },
  });
  return (
    <Dialog title={`Remove ${endpoint.description}?`} onClose={onClose}>
      <div className="space-y-4">
        <Banner tone="warn">
          Nothing is sent to it any more, also not what is due. To stop for a while, switch it off instead.
        </Banner>
        <ProblemBanner problem={gone.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" isBusy={gone.isPending} onPress={() => gone.mutate()}>
            Remove it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
