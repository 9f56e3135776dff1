import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Page, Identity, User } from '../surface.ts';
import type { Problem } from '../api.ts';
import { get, remove, seg } from '../api.ts';
import { useSession } from '../session.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { useToast } from '../ui/toast.tsx';
import { LinkIdentity, mayLink } from './link-identity.tsx';
import { issuerOf, kindOf } from './words.ts';

const keyOf = (user: User) => ['identities', user.sid] as const;
const pathOf = (user: User): string => `/v1/users/${seg(user.sid)}/identities`;

/** The ways in which this person can sign in. */
export function IdentitiesCard({ user }: { readonly user: User }): ReactElement {
  const list = useQuery<Page<Identity>, Problem>({
    queryKey: keyOf(user),
    queryFn: ({ signal }) => get<Page<Identity>>(pathOf(user), { signal }),
  });
  const identities = list.data?.items ?? [];
  const canLink = mayLink(useSession());
  return (
    <Card title="Ways to sign in">
      {list.isPending && <Loading what="your identities" />}
      {!list.data && list.error && (
        <div className="p-4">
          <ProblemBanner problem={list.error} retry={() => void list.refetch()} />
        </div>
      )}
      {list.data && identities.length === 0 && (
        <EmptyState title="No identity is linked">Whoever runs this service has to link one for you.</EmptyState>
      )}
      <ul>
        {identities.map((identity) => (
          <Row key={identity.sid} user={user} identity={identity} isLast={identities.length === 1} />
        ))}
      </ul>
      {identities.length === 1 && (
        <p className="border-t border-line px-5 py-3 text-sm text-soft sm:px-6">
          This is your only way in, so it cannot be removed{canLink && ': link another one first'}.
        </p>
      )}
      {canLink && <LinkIdentity />}
    </Card>
  );
}

interface RowProps {
  readonly user: User;
  readonly identity: Identity;
  readonly isLast: boolean;
}

function Row({ user, identity, isLast }: RowProps): ReactElement {
  const [isRemoving, setRemoving] = useState(false);
  const issuer = issuerOf(identity);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-5 py-3 text-sm last:border-0 sm:px-6">
      <div className="min-w-0">
        <p className="font-medium break-words">{identity.label}</p>
        <p className="text-xs text-soft">
          {kindOf(identity)}
          {issuer !== null && ` at ${issuer}`} · linked <Time at={identity.linked_at} />
          {identity.last_used_at !== null && (
            <>
              {' '}
              · last used <Time at={identity.last_used_at} />
            </>
          )}
        </p>
      </div>
      {!isLast && (
        <Button look="plain" size="small" label={`Remove ${identity.label}`} onPress={() => setRemoving(true)}>
          Remove
        </Button>
      )}
      {isRemoving && <UnlinkDialog user={user} identity={identity} onClose={() => setRemoving(false)} />}
    </li>
  );
}

interface UnlinkProps {
  readonly user: User;
  readonly identity: Identity;
  readonly onClose: () => void;
}

function UnlinkDialog({ user, identity, onClose }: UnlinkProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const unlink = useMutation<Identity, Problem>({
    mutationFn: () => remove<Identity>(`${pathOf(user)}/${seg(identity.sid)}`),
    onSuccess: async () => {
      say(`${identity.label} is removed.`);
      onClose();
      await queries.invalidateQueries({ queryKey: keyOf(user) });
    },
  });
  return (
    <Dialog title={`Remove ${identity.label}?`} onClose={onClose}>
      <div className="space-y-4">
        <p className="text-sm">
          You cannot sign in with it any more. If you use it here again, it opens a new account with an empty wallet,
          unless you link it before.
        </p>
        <ProblemBanner problem={unlink.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep it
          </Button>
          <Button look="danger" isBusy={unlink.isPending} onPress={() => unlink.mutate()}>
            Remove it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
