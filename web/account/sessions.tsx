import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import type { OpenSession, Page, User } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { agentName } from './words.ts';

const pathOf = (user: User): string => `/v1/users/${seg(user.sid)}/sessions`;

/** Where this person is signed in, and the way to end that. */
export function SessionsCard({ user }: { readonly user: User }): ReactElement {
  const list = useQuery<Page<OpenSession>, Problem>({
    queryKey: ['sessions', user.sid],
    queryFn: ({ signal }) => get<Page<OpenSession>>(pathOf(user), { signal }),
  });
  const sessions = list.data?.items ?? [];
  const hasOthers = sessions.some(({ is_current: isCurrent }) => !isCurrent);
  return (
    <Card title="Where you are signed in" aside={hasOthers && <EndOthers user={user} />}>
      {list.isPending && <Loading what="your sessions" />}
      {!list.data && list.error && (
        <div className="p-4">
          <ProblemBanner problem={list.error} retry={() => void list.refetch()} />
        </div>
      )}
      <ul>
        {sessions.map((session) => (
          <Row key={session.sid} user={user} session={session} />
        ))}
      </ul>
      {list.data && !hasOthers && (
        <p className="border-t border-line px-5 py-3 text-sm text-soft sm:px-6">You are signed in nowhere else.</p>
      )}
    </Card>
  );
}

function useEnd(user: User, session: OpenSession | null) {
  const queries = useQueryClient();
  const say = useToast();
  return useMutation<{ readonly revoked: number }, Problem>({
    mutationFn: () => post(`${pathOf(user)}/revoke`, session === null ? {} : { session_sid: session.sid }),
    onSuccess: async ({ revoked }) => {
      say(revoked === 1 ? 'One session is ended.' : `${revoked} sessions are ended.`);
      await queries.invalidateQueries({ queryKey: ['sessions', user.sid] });
    },
  });
}

function EndOthers({ user }: { readonly user: User }): ReactElement {
  const end = useEnd(user, null);
  return (
    <div>
      <Button look="quiet" size="small" isBusy={end.isPending} onPress={() => end.mutate()}>
        End all others
      </Button>
      <ProblemBanner problem={end.error} />
    </div>
  );
}

function Row({ user, session }: { readonly user: User; readonly session: OpenSession }): ReactElement {
  const end = useEnd(user, session);
  const name = agentName(session.agent);
  return (
    <li className="border-b border-line px-5 py-3 text-sm last:border-0 sm:px-6">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2 font-medium">
            <span className="break-words" title={session.agent ?? undefined}>
              {name}
            </span>
            {session.is_current && <Badge tone="good" text="This one" />}
          </p>
          <p className="text-xs break-words text-soft">
            {session.address ?? 'address not known'} · since <Time at={session.created_at} /> · last used{' '}
            <Time at={session.seen_at} />
          </p>
        </div>
        {!session.is_current && (
          <Button
            look="plain"
            size="small"
            label={`End the session of ${name}`}
            isBusy={end.isPending}
            onPress={() => end.mutate()}
          >
            End
          </Button>
        )}
      </div>
      <ProblemBanner problem={end.error} />
    </li>
  );
}
