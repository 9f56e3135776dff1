import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import type { Dispute, DisputeEvidence } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { useToast } from '../../ui/toast.tsx';

/** Evidence as a text to hand in, or as data. Gathered when asked for, so that it is of this moment. */
export function DownloadEvidence({ dispute }: { readonly dispute: Dispute }): ReactElement {
  const say = useToast();
  const gather = useMutation<DisputeEvidence, Problem, 'txt' | 'json'>({
    mutationFn: () => get<DisputeEvidence>(`/v1/disputes/${seg(dispute.sid)}/evidence`),
    onSuccess: ({ text, ...facts }, kind) => {
      const name = `evidence-${dispute.sid}.${kind}`;
      if (kind === 'txt') saveFile(name, new Blob([text], { type: 'text/plain;charset=utf-8' }));
      else saveFile(name, new Blob([JSON.stringify(facts, null, 2)], { type: 'application/json' }));
      say(`Saved as ${name}.`);
    },
  });
  const isBusy = (kind: 'txt' | 'json'): boolean => gather.isPending && gather.variables === kind;
  return (
    <div>
      <div className="flex flex-wrap gap-3">
        <Button isBusy={isBusy('txt')} onPress={() => gather.mutate('txt')}>
          Download evidence
        </Button>
        <Button look="quiet" isBusy={isBusy('json')} onPress={() => gather.mutate('json')}>
          As data
        </Button>
      </div>
      <ProblemBanner problem={gather.error} />
    </div>
  );
}
