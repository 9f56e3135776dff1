import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { post, seg, unplaced } from '../api.ts';
import { SESSION_KEY, useSession } from '../session.ts';
import type { Organisation } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Card } from '../ui/page.tsx';
import { ROLE_WORDS } from './words.ts';

/** The organisations that one is in, and the way to open one. */
export function OrganisationsCard(): ReactElement {
  const { wallets } = useSession();
  const [isOpening, setOpening] = useState(false);
  const shared = wallets.filter(({ kind }) => kind === 'organisation');
  return (
    <Card
      title="Organisations"
      aside={
        <Button look="quiet" size="small" onPress={() => setOpening(true)}>
          New organisation…
        </Button>
      }
    >
      {shared.length === 0 ? (
        <EmptyState title="You are in no organisation">
          An organisation is a wallet that several people share, each with their own rights and, if you like, a monthly
          cap.
        </EmptyState>
      ) : (
        <ul>
          {shared.map(({ owner_sid: sid, name, role }) => (
            <li
              key={sid}
              className="flex flex-wrap items-center justify-between gap-3 border-b border-line px-5 py-3 text-sm last:border-0 sm:px-6"
            >
              <Link
                href={`/organisations/${seg(sid)}`}
                className="min-w-0 font-medium wrap-break-word text-accent underline-offset-2 hover:underline"
              >
                {name}
              </Link>
              <span className="text-soft">{ROLE_WORDS[role]}</span>
            </li>
          ))}
        </ul>
      )}
      {isOpening && <OpenDialog onClose={() => setOpening(false)} />}
    </Card>
  );
}

function OpenDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState('');
  const [missing, setMissing] = useState<{ readonly name: string } | null>(null);
  const open = useMutation<Organisation, Problem>({
    mutationFn: () => post<Organisation>('/v1/organisations', { name: name.trim() }),
    onSuccess: async ({ sid }) => {
      await queries.invalidateQueries({ queryKey: SESSION_KEY });
      navigate(`/organisations/${seg(sid)}`);
    },
  });
  const submit = (): void => {
    if (open.isPending) return;
    if (name.trim() === '') setMissing({ name: 'Enter a name.' });
    else open.mutate();
  };
  const refused = open.error?.fields.get('name');
  return (
    <Dialog title="New organisation" onClose={onClose}>
      <Form refusal={missing ?? open.error} onSubmit={submit}>
        <Field
          label="Name"
          name="name"
          hint="Members and receipts call it so. You are its owner, and it has a wallet of its own."
          value={name}
          error={missing?.name ?? (refused && `The name ${refused}.`)}
          isRequired
          maxLength={100}
          autoComplete="organization"
          onChange={(text) => {
            setName(text);
            setMissing(null);
            open.reset();
          }}
        />
        <ProblemBanner problem={unplaced(open.error, (field) => field === 'name')} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Not now
          </Button>
          <Button type="submit" isBusy={open.isPending}>
            Open it
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
