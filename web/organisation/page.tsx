import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import { KeysCard } from '../account/keys/card.tsx';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { SESSION_KEY } from '../session.ts';
import type { Organisation } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { BackLink, Loading, PageTitle } from '../ui/page.tsx';
import { useToast } from '../ui/toast.tsx';
import { InvitationsCard } from './invitations.tsx';
import { MembersCard } from './members.tsx';
import { NameCard } from './name-card.tsx';
import { ROLE_MEANINGS, ROLE_WORDS } from './words.ts';

/** Who is in an organisation and what they may do; owners change it. */
export function OrganisationPage({ sid }: { readonly sid: string }): ReactElement {
  const organisation = useQuery<Organisation, Problem>({
    queryKey: ['organisation', sid],
    queryFn: ({ signal }) => get<Organisation>(`/v1/organisations/${seg(sid)}`, { signal }),
  });
  const { data, error } = organisation;
  const isGone = error?.status === 404;
  return (
    <div className="mx-auto max-w-3xl space-y-6">
      <BackLink to="/account">Account</BackLink>
      <PageTitle title={data?.name ?? 'Organisation'} />
      {!data && !error && <Loading what="the organisation" />}
      {!data && error && !isGone && <ProblemBanner problem={error} retry={() => void organisation.refetch()} />}
      {!data && isGone && (
        <div className="card">
          <EmptyState title="There is no such organisation">You may have left it, or the address is wrong.</EmptyState>
        </div>
      )}
      {data && <Standing organisation={data} />}
      {data && <MembersCard organisation={data} />}
      {data?.role === 'owner' && <InvitationsCard sid={sid} />}
      {data?.role === 'owner' && <KeysCard ownerSid={sid} />}
      {data?.role === 'owner' && <NameCard key={data.name} organisation={data} />}
    </div>
  );
}

function Standing({ organisation }: { readonly organisation: Organisation }): ReactElement | null {
  const { choose } = useChosenWallet();
  const [, navigate] = useLocation();
  const [isLeaving, setLeaving] = useState(false);
  const { role } = organisation;
  if (role === null) return null;
  return (
    <section aria-label="You in it" className="card space-y-4 p-5 text-sm sm:p-6">
      <p>
        You are {role === 'owner' ? 'an' : 'a'} <strong>{ROLE_WORDS[role].toLowerCase()}</strong>. {ROLE_MEANINGS[role]}
      </p>
      <div className="flex flex-wrap gap-3">
        <Button
          onPress={() => {
            choose(organisation.wallet_sid);
            navigate('/wallet');
          }}
        >
          Open its wallet
        </Button>
        <Button look="quiet" onPress={() => setLeaving(true)}>
          Leave…
        </Button>
      </div>
      {isLeaving && <LeaveDialog organisation={organisation} onClose={() => setLeaving(false)} />}
    </section>
  );
}

interface LeaveDialogProps {
  readonly organisation: Organisation;
  readonly onClose: () => void;
}

function LeaveDialog({ organisation, onClose }: LeaveDialogProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [, navigate] = useLocation();
  const leave = useMutation<unknown, Problem>({
    mutationFn: () => post(`/v1/organisations/${seg(organisation.sid)}/leave`),
    onSuccess: async () => {
      navigate('/account');
      await queries.invalidateQueries({ queryKey: SESSION_KEY });
      say(`You have left ${organisation.name}.`);
    },
  });
  return (
    <Dialog title={`Leave ${organisation.name}?`} onClose={onClose}>
      <p className="text-sm">You do not see its wallet any more. To come back you need a new invitation.</p>
      <ProblemBanner problem={leave.error} />
      <div className="mt-5 flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onClose}>
          Stay
        </Button>
        <Button look="danger" isBusy={leave.isPending} onPress={() => leave.mutate()}>
          Leave it
        </Button>
      </div>
    </Dialog>
  );
}
