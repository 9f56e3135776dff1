import { useMutation } from '@tanstack/react-query';
import type { Problem } from '../api.ts';
import { post } from '../api.ts';
import { useSessionChange } from '../session.ts';

/** Signs in by what is typed into a form. */
export function useSignIn(path: string): {
  readonly send: (body: Record<string, string>) => void;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
} {
  const change = useSessionChange();
  const signIn = useMutation<unknown, Problem, Record<string, string>>({
    mutationFn: async (body) => {
      await post(path, body);
      await change();
    },
  });
  return {
    send: (body) => {
      if (!signIn.isPending) signIn.mutate(body);
    },
    isBusy: signIn.isPending,
    problem: signIn.error,
  };
}
