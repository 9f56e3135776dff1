import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import type { KeyWithSecret, UserKey } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Select } from '../../ui/select.tsx';
import { KeyShown } from './key-shown.tsx';
import { OVERLAPS, type Overlap } from './words.ts';

interface RotateProps {
  readonly of: UserKey;
  readonly onClose: () => void;
}

/** A new secret for a key, and how long the present one is good beside it. */
export function RotateDialog({ of: key, onClose }: RotateProps): ReactElement {
  const queries = useQueryClient();
  const [overlap, setOverlap] = useState<Overlap>('3600');
  const rotate = useMutation<KeyWithSecret, Problem>({
    mutationFn: () => post<KeyWithSecret>(`/v1/keys/${seg(key.sid)}/rotate`, { overlap_seconds: Number(overlap) }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['/v1/keys'] }),
  });
  if (rotate.data) {
    return (
      <Dialog title={`The key ${key.name}`} isSticky onClose={onClose}>
        <KeyShown made={rotate.data} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title={`Rotate ${key.name}`} onClose={onClose}>
      <div className="space-y-4">
        <Select
          label="The present key ends"
          name="overlap"
          value={overlap}
          options={OVERLAPS}
          hint="Until then both are good, so that the program can be changed over without a gap. A key before the present one ends now."
          onChange={setOverlap}
        />
        <ProblemBanner problem={rotate.error} />
        <div className="flex justify-end">
          <Button isBusy={rotate.isPending} onPress={() => rotate.mutate()}>
            Make a new key
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
