import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import type { Member, Page, StatementLine } from '../surface.ts';

/** Who is in an organisation; not asked for where there is none. */
export const useMembers = (organisationSid: string | null) =>
  useQuery<Page<Member>, Problem>({
    queryKey: ['members', organisationSid],
    queryFn: ({ signal }) => get<Page<Member>>(`/v1/organisations/${seg(organisationSid ?? '')}/members`, { signal }),
    enabled: organisationSid !== null,
  });

/** Which member spent it, on a line of an organisation's statement. */
export function Spender({ line }: { readonly line: StatementLine }): ReactElement | null {
  const { wallet } = useChosenWallet();
  const sid = line.about?.['member_sid'];
  const isShared = wallet.kind === 'organisation' && typeof sid === 'string';
  const members = useMembers(isShared ? wallet.owner_sid : null);
  if (!isShared || !members.data) return null;
  const name = members.data.items.find((member) => member.user_sid === sid)?.display_name ?? 'somebody who has left';
  return <p className="text-xs text-soft">by {name}</p>;
}
