import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../../api.ts';
import { get, seg } from '../../api.ts';
import type { Dispute, DisputeEvidence } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { useToast } from '../../ui/toast.tsx';

/** Hands a text to the browser as a file. */
function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** Evidence as a text to hand in, or as data. Gathered when asked for, so that it is of this moment. */
export function DownloadEvidence({ dispute }: { readonly dispute: Dispute }): ReactElement {
  const say = useToast();
  const gather = useMutation<DisputeEvidence, Problem, 'txt' | 'json'>({
    mutationFn: () => get<DisputeEvidence>(`/v1/disputes/${seg(dispute.sid)}/evidence`),
    onSuccess: ({ text, ...facts }, kind) => {
      const name = `evidence-${dispute.sid}.${kind}`;
      if (kind === 'txt') save(name, 'text/plain;charset=utf-8', text);
      else save(name, 'application/json', JSON.stringify(facts, null, 2));
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
