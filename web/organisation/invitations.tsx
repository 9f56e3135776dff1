import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, remove, seg } from '../api.ts';
import type { Invitation, Page } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Money } from '../ui/money.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { ROLE_WORDS } from './words.ts';

/** The links that have not been answered yet, and the way to make one. */
export function InvitationsCard({ sid }: { readonly sid: string }): ReactElement {
  const [isInviting, setInviting] = useState(false);
  const invitations = useQuery<Page<Invitation>, Problem>({
    queryKey: ['invitations', sid],
    queryFn: ({ signal }) => get<Page<Invitation>>(`/v1/organisations/${seg(sid)}/invitations`, { signal }),
  });
  return (
    <Card
      title="Invitations"
      aside={
        <Button look="quiet" size="small" onPress={() => setInviting(true)}>
          Invite somebody…
        </Button>
      }
    >
      {invitations.isPending && <Loading what="the invitations" />}
      {!invitations.data && invitations.error && (
        <div className="p-4">
          <ProblemBanner problem={invitations.error} retry={() => void invitations.refetch()} />
        </div>
      )}
      {invitations.data?.items.length === 0 && (
        <EmptyState title="Nobody is invited">Make a link, and send it to whom you want to have in.</EmptyState>
      )}
      {invitations.data && invitations.data.items.length > 0 && (
        <ul>
          {invitations.data.items.map((invitation) => (
            <Row key={invitation.sid} invitation={invitation} />
          ))}
        </ul>
      )}
      {isInviting && <InviteDialog sid={sid} onClose={() => setInviting(false)} />}
    </Card>
  );
}

function Row({ invitation }: { readonly invitation: Invitation }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const whom = invitation.email ?? 'whoever has the link';
  const revoke = useMutation<unknown, Problem>({
    mutationFn: () =>
      remove(`/v1/organisations/${seg(invitation.organisation_sid)}/invitations/${seg(invitation.sid)}`),
    onSuccess: () => say('The link is worth nothing any more.'),
    onSettled: () => queries.invalidateQueries({ queryKey: ['invitations', invitation.organisation_sid] }),
  });
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-5 py-3 text-sm last:border-0 sm:px-6">
      <div className="min-w-0">
        <p className="font-medium wrap-break-word">{whom}</p>
        <p className="text-xs text-soft">
          {ROLE_WORDS[invitation.role]}
          {invitation.monthly_cap !== null && (
            <>
              , at most <Money amount={invitation.monthly_cap} /> a month
            </>
          )}{' '}
          · good until <Time at={invitation.expires_at} />
        </p>
        <ProblemBanner problem={revoke.error} />
      </div>
      <Button
        look="plain"
        size="small"
        isBusy={revoke.isPending}
        label={`Revoke the invitation of ${whom}`}
        onPress={() => revoke.mutate()}
      >
        Revoke
      </Button>
    </li>
  );
}
