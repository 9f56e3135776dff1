import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { OrganisationsCard } from '../organisation/card.tsx';
import { useSession } from '../session.ts';
import type { User } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Loading, PageTitle } from '../ui/page.tsx';
import { DataCard } from './export-and-delete.tsx';
import { IdentitiesCard } from './identities.tsx';
import { KeysCard } from './keys/card.tsx';
import { Contact } from './profile.tsx';
import { SessionsCard } from './sessions.tsx';

export function AccountPage(): ReactElement {
  const { user: self, role } = useSession();
  const sid = self?.sid ?? '';
  // An operator's lists are of everybody's; what is theirs alone is who they are and where they are signed in.
  const isUser = role === 'user';
  const user = useQuery<User, Problem>({
    queryKey: ['user', sid],
    queryFn: ({ signal }) => get<User>(`/v1/users/${seg(sid)}`, { signal }),
  });
  return (
    <div className="mx-auto max-w-2xl space-y-6">
      <PageTitle title="Account" />
      {!user.data && user.error && <ProblemBanner problem={user.error} retry={() => void user.refetch()} />}
      {!user.data && !user.error && <Loading what="your account" />}
      {user.data && <Contact user={user.data} />}
      {user.data && <IdentitiesCard user={user.data} />}
      {user.data && <SessionsCard user={user.data} />}
      {user.data && isUser && <KeysCard />}
      {isUser && <OrganisationsCard />}
      {user.data && isUser && <DataCard user={user.data} />}
    </div>
  );
}
