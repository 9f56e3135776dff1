import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, seg, unplaced } from '../api.ts';
import type { Invitation, InvitationWithToken } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Select } from '../ui/select.tsx';
import { Step } from '../ui/step.tsx';
import { CAP_REFUSED, readCapText, ROLE_MEANINGS, ROLE_WORDS } from './words.ts';

interface InviteDialogProps {
  readonly sid: string;
  readonly onClose: () => void;
}

export function InviteDialog({ sid, onClose }: InviteDialogProps): ReactElement {
  const [made, setMade] = useState<InvitationWithToken | null>(null);
  return (
    <Dialog
      title={made === null ? 'Invite somebody' : 'The invitation is made'}
      isSticky={made !== null}
      onClose={onClose}
    >
      {made === null ? <InviteForm sid={sid} onMade={setMade} /> : <LinkShown invitation={made} onClose={onClose} />}
    </Dialog>
  );
}

const FIELDS = new Set(['email', 'monthly_cap']);
const OPTIONS: readonly (readonly [Invitation['role'], string])[] = [
  ['member', ROLE_WORDS.member],
  ['viewer', ROLE_WORDS.viewer],
];

interface InviteFormProps {
  readonly sid: string;
  readonly onMade: (invitation: InvitationWithToken) => void;
}

function InviteForm({ sid, onMade }: InviteFormProps): ReactElement {
  const queries = useQueryClient();
  const [role, setRole] = useState<Invitation['role']>('member');
  const [cap, setCap] = useState('');
  const [email, setEmail] = useState('');
  const [wrong, setWrong] = useState<{ readonly cap: string } | null>(null);
  const make = useMutation<InvitationWithToken, Problem, string | null>({
    mutationFn: (monthlyCap) =>
      post<InvitationWithToken>(`/v1/organisations/${seg(sid)}/invitations`, {
        role,
        ...(role === 'member' ? { monthly_cap: monthlyCap } : {}),
        ...(email.trim() === '' ? {} : { email: email.trim() }),
      }),
    onSuccess: async (invitation) => {
      onMade(invitation);
      await queries.invalidateQueries({ queryKey: ['invitations', sid] });
    },
  });
  const change =
    <T,>(set: (value: T) => void) =>
    (value: T): void => {
      set(value);
      setWrong(null);
      make.reset();
    };
  const submit = (): void => {
    if (make.isPending) return;
    const read = readCapText(cap);
    if (role === 'member' && read === undefined) setWrong({ cap: CAP_REFUSED });
    else make.mutate(read ?? null);
  };
  const refusedCap = make.error?.fields.get('monthly_cap');
  const refusedEmail = make.error?.fields.get('email');
  return (
    <Form refusal={wrong ?? make.error} onSubmit={submit}>
      <Select
        label="Role"
        name="role"
        value={role}
        options={OPTIONS}
        hint={ROLE_MEANINGS[role]}
        onChange={change(setRole)}
      />
      {role === 'member' && (
        <Field
          label="Monthly cap in US dollars"
          name="monthly_cap"
          prefix="$"
          inputMode="decimal"
          hint="What they may spend in a calendar month (UTC). Empty: no cap."
          value={cap}
          error={wrong?.cap ?? (refusedCap && `The cap ${refusedCap}.`)}
          onChange={change(setCap)}
        />
      )}
      <Field
        label="E-mail address"
        name="email"
        type="email"
        hint="The link is mailed there, if this server sends mail. You see it here as well."
        value={email}
        error={refusedEmail && `This ${refusedEmail}.`}
        maxLength={254}
        onChange={change(setEmail)}
      />
      <ProblemBanner problem={unplaced(make.error, (field) => FIELDS.has(field))} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={make.isPending}>
          Make the link
        </Button>
      </div>
    </Form>
  );
}

interface LinkShownProps {
  readonly invitation: InvitationWithToken;
  readonly onClose: () => void;
}

/** The only time that the link can be read. Nothing closes it by accident. */
function LinkShown({ invitation, onClose }: LinkShownProps): ReactElement {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(invitation.url);
      setSaid('Copied.');
    } catch {
      setSaid('The browser refused to copy. Select the link and copy it by hand.');
    }
  };
  return (
    <Step label="The link">
      {invitation.email !== null && (
        <Banner tone={invitation.is_mailed ? 'good' : 'warn'}>
          {invitation.is_mailed
            ? `It is on its way to ${invitation.email}.`
            : `It could not be mailed to ${invitation.email}: send the link by yourself.`}
        </Banner>
      )}
      <Banner tone="warn">
        Whoever opens it first can join. It is shown this once, and is good for 7 days or until it is used.
      </Banner>
      <p
        className="rounded-xl bg-sunken px-4 py-3 font-mono text-sm break-all select-all"
        data-testid="invitation-link"
      >
        {invitation.url}
      </p>
      <p aria-live="polite" className="min-h-5 text-sm text-good">
        {said}
      </p>
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={() => void copy()}>
          Copy the link
        </Button>
        <Button onPress={onClose}>Done</Button>
      </div>
    </Step>
  );
}
