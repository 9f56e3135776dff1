import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import { SESSION_KEY } from '../session.ts';
import type { InvitationLook, Organisation } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Money } from '../ui/money.tsx';
import { Loading, PageTitle } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { ROLE_MEANINGS, ROLE_WORDS } from './words.ts';

/** What an invitation is to, and the two answers to it. */
export function InvitationPage({ token }: { readonly token: string }): ReactElement {
  const invitation = useQuery<InvitationLook, Problem>({
    queryKey: ['invitation', token],
    queryFn: () => post<InvitationLook>('/v1/invitations/look', { token }),
  });
  const { data, error } = invitation;
  return (
    <div className="mx-auto max-w-xl space-y-6">
      <PageTitle title="Invitation" />
      {!data && !error && <Loading what="the invitation" />}
      {!data && error && error.status !== 404 && (
        <ProblemBanner problem={error} retry={() => void invitation.refetch()} />
      )}
      {!data && error?.status === 404 && (
        <div className="card">
          <EmptyState title="This invitation is not good, or not any more">
            It may have been used, withdrawn or run out. Ask for a new one.
          </EmptyState>
        </div>
      )}
      {data && <Answer token={token} invitation={data} />}
    </div>
  );
}

function Answer({ token, invitation }: { readonly token: string; readonly invitation: InvitationLook }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [, navigate] = useLocation();
  const { organisation_name: name, role, monthly_cap: cap } = invitation;
  const accept = useMutation<Organisation, Problem>({
    mutationFn: () => post<Organisation>('/v1/invitations/accept', { token }),
    onSuccess: async ({ sid }) => {
      await queries.invalidateQueries({ queryKey: SESSION_KEY });
      navigate(`/organisations/${seg(sid)}`, { replace: true });
      say(`You are in ${name}.`);
    },
  });
  const decline = useMutation<unknown, Problem>({
    mutationFn: () => post('/v1/invitations/decline', { token }),
    onSuccess: () => {
      navigate('/wallet', { replace: true });
      say(`You have declined the invitation of ${name}.`);
    },
  });
  const isBusy = accept.isPending || decline.isPending;
  return (
    <section aria-label="The invitation" className="card space-y-4 p-5 sm:p-8">
      <h2 className="text-lg font-semibold wrap-break-word">{name} invites you to share its wallet</h2>
      <p>
        As a <strong>{ROLE_WORDS[role].toLowerCase()}</strong>. {ROLE_MEANINGS[role]}
        {cap !== null && (
          <>
            {' '}
            You may spend up to <Money amount={cap} /> a month.
          </>
        )}
      </p>
      <p className="text-sm text-soft">
        Its members see your name. Your own wallet stays yours alone. The invitation is good until{' '}
        <Time at={invitation.expires_at} />.
      </p>
      <ProblemBanner problem={accept.error ?? decline.error} />
      <div className="flex flex-wrap gap-3">
        <Button isBusy={accept.isPending} onPress={() => void (isBusy || accept.mutate())}>
          Accept
        </Button>
        <Button look="quiet" isBusy={decline.isPending} onPress={() => void (isBusy || decline.mutate())}>
          Decline
        </Button>
      </div>
    </section>
  );
}
