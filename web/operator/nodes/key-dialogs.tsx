import type { UseMutationResult } from '@tanstack/react-query';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import type { NodeWithKey, UsageNode } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Select } from '../../ui/select.tsx';
import { useToast } from '../../ui/toast.tsx';
import { KeyShown } from './key-shown.tsx';

interface NodeDialogProps {
  readonly node: UsageNode;
  readonly onClose: () => void;
}

const OVERLAPS = [
  ['0', 'at once: the key was stolen or lost'],
  ['3600', 'in an hour'],
  ['86400', 'in a day'],
  ['604800', 'in a week'],
] as const;
type Overlap = (typeof OVERLAPS)[number][0];

/** A new key, and how long the present one is good beside it. */
export function RotateDialog({ node, onClose }: NodeDialogProps): ReactElement {
  const [overlap, setOverlap] = useState<Overlap>('3600');
  const rotate = useRotate(node);
  if (rotate.data) {
    return (
      <Dialog title={`The new key of ${node.name}`} isSticky onClose={onClose}>
        <KeyShown name={node.name} nodeKey={rotate.data.key} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title={`A new key for ${node.name}`} onClose={onClose}>
      <div className="space-y-4">
        <Select
          label="The present key ends"
          name="overlap"
          value={overlap}
          options={OVERLAPS}
          hint="Until then both are good, so that the node can be changed over without a gap. A key before the present one ends now."
          onChange={setOverlap}
        />
        <ProblemBanner problem={rotate.error} />
        <div className="flex justify-end">
          <Button isBusy={rotate.isPending} onPress={() => rotate.mutate(Number(overlap))}>
            Make a new key
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function useRotate({ sid }: UsageNode): UseMutationResult<NodeWithKey, Problem, number> {
  const queries = useQueryClient();
  return useMutation<NodeWithKey, Problem, number>({
    mutationFn: (seconds) => post<NodeWithKey>(`/v1/nodes/${seg(sid)}/rotate`, { overlap_seconds: seconds }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['node', sid] }),
  });
}

/** Ends the keys for good. */
export function RevokeDialog({ node, onClose }: NodeDialogProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [reason, setReason] = useState('');
  const revoke = useMutation<UsageNode, Problem, string>({
    mutationFn: (text) => post<UsageNode>(`/v1/nodes/${seg(node.sid)}/revoke`, text === '' ? {} : { reason: text }),
    onSuccess: async () => {
      say(`${node.name} is revoked: its keys are not accepted any more.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['node', node.sid] });
      // The button that opened this is gone: a revoked node cannot be revoked.
      document.querySelector('h1')?.focus();
    },
  });
  const submit = (): void => {
    if (!revoke.isPending) revoke.mutate(reason.trim());
  };
  return (
    <Dialog title={`Revoke ${node.name}?`} onClose={onClose}>
      <Form refusal={revoke.error} onSubmit={submit}>
        <Banner tone="warn">
          Its keys end at once and for good. What it has charged stays charged; the name is free again for another node.
        </Banner>
        <Field
          label="Reason, if you like"
          name="reason"
          isLong
          value={reason}
          error={revoke.error?.fields.get('reason')}
          hint="Kept in the audit."
          maxLength={255}
          onChange={setReason}
        />
        <ProblemBanner problem={unplaced(revoke.error, (field) => field === 'reason')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button type="submit" look="danger" isBusy={revoke.isPending}>
            Revoke {node.name}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
