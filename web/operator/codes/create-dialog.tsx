import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import type { Code } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form } from '../../ui/form.tsx';
import { useToast } from '../../ui/toast.tsx';
import { ForWhom, What, WhenAndHowOften } from './fields.tsx';
import { bodyOf, EMPTY, missingIn, PLACES, promiseOf, type Wish } from './wish.ts';

export function CreateDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [wish, setWish] = useState(EMPTY);
  const [missing, setMissing] = useState<Readonly<Record<string, string>> | null>(null);
  const intent = useIntent();
  const queries = useQueryClient();
  const say = useToast();
  const [, navigate] = useLocation();
  const create = useMutation<Code, Problem, object>({
    mutationFn: (body) =>
      intent.run(JSON.stringify(body), (idempotencyKey) => post<Code>('/v1/codes', { ...body }, { idempotencyKey })),
    onSuccess: async (code) => {
      say(`${code.code} can be redeemed${code.state === 'future' ? ' later' : ''}.`);
      await queries.invalidateQueries({ queryKey: ['/v1/codes'] });
      navigate(`/operator/codes/${code.sid}`);
    },
  });
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    create.reset();
  };
  const submit = (): void => {
    if (create.isPending) return;
    const found = missingIn(wish);
    if (Object.keys(found).length === 0) create.mutate(bodyOf(wish));
    else setMissing(found);
  };
  const errorOf = (field: string): string | undefined => missing?.[field] ?? create.error?.fields.get(field);
  return (
    <Dialog title="New code" onClose={onClose}>
      <Form refusal={missing ?? create.error} onSubmit={submit}>
        <What wish={wish} change={change} errorOf={errorOf} />
        <WhenAndHowOften wish={wish} change={change} errorOf={errorOf} />
        <ForWhom wish={wish} change={change} errorOf={errorOf} />
        <p className="rounded-xl bg-sunken px-4 py-3 text-sm" aria-live="polite" data-testid="code-promise">
          {promiseOf(wish) ?? 'Fill in the amount and how often to see here what it can cost.'}
        </p>
        <ProblemBanner problem={unplaced(create.error, (field) => PLACES.includes(field))} />
        <div className="flex justify-end">
          <Button type="submit" isBusy={create.isPending}>
            Make the code
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
