import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { patch, post, seg, unplaced } from '../api.ts';
import { SESSION_KEY, useSession } from '../session.ts';
import type { Member, MemberRole } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Select } from '../ui/select.tsx';
import { useToast } from '../ui/toast.tsx';
import { CAP_REFUSED, readCapText, ROLE_MEANINGS, ROLE_WORDS } from './words.ts';

type Choice = MemberRole | 'transfer';

const OPTIONS: readonly (readonly [MemberRole, string])[] = [
  ['viewer', ROLE_WORDS.viewer],
  ['member', ROLE_WORDS.member],
  ['owner', 'Owner, beside the others'],
];
const TRANSFER: readonly [Choice, string] = ['transfer', 'Owner, in my place'];

interface MemberDialogProps {
  readonly member: Member;
  readonly onClose: () => void;
}

/** What somebody may do, and their cap; or the ownership handed on to them. */
export function MemberDialog({ member, onClose }: MemberDialogProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const { user } = useSession();
  const [choice, setChoice] = useState<Choice>(member.role);
  const [cap, setCap] = useState(member.monthly_cap ?? '');
  const [wrong, setWrong] = useState<{ readonly cap: string } | null>(null);
  const own = `/v1/organisations/${seg(member.organisation_sid)}`;
  const save = useMutation<unknown, Problem, string | null>({
    mutationFn: (monthlyCap) =>
      choice === 'transfer'
        ? post(`${own}/transfer`, { user_sid: member.user_sid })
        : patch(`${own}/members/${seg(member.user_sid)}`, {
            role: choice,
            ...(choice === 'member' ? { monthly_cap: monthlyCap } : {}),
          }),
    onSuccess: async () => {
      say('Saved.');
      onClose();
      await Promise.all(
        [['members', member.organisation_sid], ['organisation', member.organisation_sid], SESSION_KEY].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
  const submit = (): void => {
    if (save.isPending) return;
    const read = readCapText(cap);
    if (choice === 'member' && read === undefined) setWrong({ cap: CAP_REFUSED });
    else save.mutate(read ?? null);
  };
  const refused = save.error?.fields.get('monthly_cap');
  return (
    <Dialog title={member.display_name} onClose={onClose}>
      <Form refusal={wrong ?? save.error} onSubmit={submit}>
        <Select<Choice>
          label="Role"
          name="role"
          value={choice}
          options={member.user_sid === user?.sid ? OPTIONS : [...OPTIONS, TRANSFER]}
          hint={choice === 'transfer' ? 'You become a member, and cannot undo it.' : ROLE_MEANINGS[choice]}
          onChange={(chosen) => {
            setChoice(chosen);
            save.reset();
          }}
        />
        {choice === 'member' && (
          <Field
            label="Monthly cap in US dollars"
            name="monthly_cap"
            prefix="$"
            inputMode="decimal"
            hint="What they may spend in a calendar month (UTC). Empty: no cap."
            value={cap}
            error={wrong?.cap ?? (refused && `The cap ${refused}.`)}
            onChange={(text) => {
              setCap(text);
              setWrong(null);
              save.reset();
            }}
          />
        )}
        <ProblemBanner problem={unplaced(save.error, (field) => field === 'monthly_cap')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Cancel
          </Button>
          <Button type="submit" look={choice === 'transfer' ? 'danger' : 'primary'} isBusy={save.isPending}>
            {choice === 'transfer' ? 'Hand it on' : 'Save'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
