import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import type { UserKey } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useToast } from '../../ui/toast.tsx';

interface RevokeProps {
  readonly of: UserKey;
  readonly onClose: () => void;
}

/** Ends a key for good. */
export function RevokeDialog({ of: key, onClose }: RevokeProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const revoke = useMutation<UserKey, Problem>({
    mutationFn: () => post<UserKey>(`/v1/keys/${seg(key.sid)}/revoke`),
    onSuccess: async () => {
      say(`${key.name} is revoked: it is not accepted any more.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/keys'] });
      // The button that opened this is gone: a revoked key cannot be revoked.
      document.getElementById('keys-title')?.focus();
    },
  });
  return (
    <Dialog title={`Revoke ${key.name}?`} onClose={onClose}>
      <div className="space-y-4">
        <Banner tone="warn">It ends at once and for good. What was done with it stays done.</Banner>
        <ProblemBanner problem={revoke.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" isBusy={revoke.isPending} onPress={() => revoke.mutate()}>
            Revoke it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
