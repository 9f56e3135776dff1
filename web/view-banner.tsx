import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from './api.ts';
import { post } from './api.ts';
import { useSession } from './session.ts';
import { ProblemBanner } from './ui/banner.tsx';
import { Button } from './ui/button.tsx';

/** Over every page while an operator sees them as a user does; nothing for everybody else. */
export function ViewBanner(): ReactElement | null {
  const { viewed_by: viewer, user } = useSession();
  const stop = useMutation<void, Problem>({
    mutationFn: async () => {
      await post('/v1/session/stop-viewing');
      window.location.assign('/operator');
    },
  });
  if (viewer === null) return null;
  return (
    <section aria-label="Looking as a user" className="border-b border-line bg-warn-wash px-4 py-2 text-warn">
      <div className="mx-auto flex max-w-5xl flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="text-sm font-medium">
          You see the account of {user?.display_name ?? 'a user'} as they do. Nothing can be changed.
        </p>
        <Button look="quiet" size="small" isBusy={stop.isPending} onPress={() => stop.mutate()}>
          Stop looking
        </Button>
      </div>
      <ProblemBanner problem={stop.error} />
    </section>
  );
}
