import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useMemo, useState } from 'react';
import type { Problem } from '../api.ts';
import { remove, seg } from '../api.ts';
import { useSession } from '../session.ts';
import type { Member, Organisation } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Money } from '../ui/money.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { Table, type Column } from '../ui/table.tsx';
import { useToast } from '../ui/toast.tsx';
import { MemberDialog } from './member-dialog.tsx';
import { useMembers } from './spender.tsx';
import { ROLE_WORDS } from './words.ts';

type Asked = { readonly what: 'change' | 'remove'; readonly member: Member };

/** `ask`: what an owner presses; null for who is none. */
const columnsOf = (me: string | undefined, ask: ((asked: Asked) => void) | null): readonly Column<Member>[] => [
  {
    title: 'Name',
    cell: (member) => (
      <>
        <span className="font-medium">{member.display_name}</span>
        {member.user_sid === me && <span className="text-soft"> (you)</span>}
      </>
    ),
  },
  { title: 'Role', cell: (member) => ROLE_WORDS[member.role] },
  {
    title: 'Spent this month',
    isAmount: true,
    cell: (member) => (
      <>
        <Money amount={member.spent_this_month} />
        {member.role === 'member' && (
          <p className="text-xs text-soft">
            {member.monthly_cap === null ? (
              'no cap'
            ) : (
              <>
                of at most <Money amount={member.monthly_cap} />
              </>
            )}
          </p>
        )}
      </>
    ),
  },
  ...(ask === null
    ? []
    : [
        {
          title: 'Actions',
          cell: (member: Member) => <Actions member={member} isMe={member.user_sid === me} ask={ask} />,
        },
      ]),
];

/** Who is in it, as what, and what they have spent this month. */
export function MembersCard({ organisation }: { readonly organisation: Organisation }): ReactElement {
  const { user } = useSession();
  const [asked, setAsked] = useState<Asked | null>(null);
  const isOwner = organisation.role === 'owner';
  const members = useMembers(organisation.sid);
  const columns = useMemo(() => columnsOf(user?.sid, isOwner ? setAsked : null), [user?.sid, isOwner]);
  return (
    <Card title="Members">
      {members.isPending && <Loading what="the members" />}
      {!members.data && members.error && (
        <div className="p-4">
          <ProblemBanner problem={members.error} retry={() => void members.refetch()} />
        </div>
      )}
      {members.data && (
        <Table caption="members" columns={columns} rows={members.data.items} keyOf={(member) => member.user_sid} />
      )}
      {asked?.what === 'change' && <MemberDialog member={asked.member} onClose={() => setAsked(null)} />}
      {asked?.what === 'remove' && <RemoveDialog member={asked.member} onClose={() => setAsked(null)} />}
    </Card>
  );
}

interface ActionsProps {
  readonly member: Member;
  readonly isMe: boolean;
  readonly ask: (asked: Asked) => void;
}

function Actions({ member, isMe, ask }: ActionsProps): ReactElement {
  const name = member.display_name;
  return (
    <div className="-my-1.5 -ml-3 flex flex-wrap gap-1">
      <Button look="plain" size="small" label={`Change ${name}`} onPress={() => ask({ what: 'change', member })}>
        Change
      </Button>
      {!isMe && (
        <Button look="plain" size="small" label={`Remove ${name}`} onPress={() => ask({ what: 'remove', member })}>
          Remove
        </Button>
      )}
    </div>
  );
}

interface MemberDialogProps {
  readonly member: Member;
  readonly onClose: () => void;
}

function RemoveDialog({ member, onClose }: MemberDialogProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const gone = useMutation<unknown, Problem>({
    mutationFn: () => remove(`/v1/organisations/${seg(member.organisation_sid)}/members/${seg(member.user_sid)}`),
    onSuccess: async () => {
      say(`${member.display_name} is not in it any more.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['members', member.organisation_sid] });
    },
  });
  return (
    <Dialog title={`Remove ${member.display_name}?`} onClose={onClose}>
      <p className="text-sm">
        They do not see the wallet any more, from now on. What they have set aside comes back when it is not used.
      </p>
      <ProblemBanner problem={gone.error} />
      <div className="mt-5 flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onClose}>
          Keep them
        </Button>
        <Button look="danger" isBusy={gone.isPending} onPress={() => gone.mutate()}>
          Remove them
        </Button>
      </div>
    </Dialog>
  );
}
