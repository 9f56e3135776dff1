import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { patch, seg, unplaced } from '../api.ts';
import { SESSION_KEY } from '../session.ts';
import type { Organisation } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Card } from '../ui/page.tsx';
import { useToast } from '../ui/toast.tsx';

const FIELDS = new Set(['name', 'email']);

/** What it is called, and where it is written to. */
export function NameCard({ organisation }: { readonly organisation: Organisation }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [name, setName] = useState(organisation.name);
  const [email, setEmail] = useState(organisation.email ?? '');
  const save = useMutation<Organisation, Problem>({
    mutationFn: () =>
      patch<Organisation>(`/v1/organisations/${seg(organisation.sid)}`, {
        name: name.trim(),
        email: email.trim() === '' ? null : email.trim(),
      }),
    onSuccess: async (changed) => {
      queries.setQueryData(['organisation', organisation.sid], changed);
      say('Saved.');
      await queries.invalidateQueries({ queryKey: SESSION_KEY });
    },
  });
  const change =
    (set: (text: string) => void) =>
    (text: string): void => {
      set(text);
      save.reset();
    };
  const refused = (field: string): string | undefined => {
    const detail = save.error?.fields.get(field);
    return detail && `This ${detail}.`;
  };
  return (
    <Card title="Name and mail">
      <div className="p-5 sm:p-6">
        <Form refusal={save.error} onSubmit={() => void (save.isPending || save.mutate())}>
          <Field
            label="Name"
            name="name"
            hint="As it stands on receipts."
            value={name}
            error={refused('name')}
            isRequired
            maxLength={100}
            autoComplete="organization"
            onChange={change(setName)}
          />
          <Field
            label="E-mail address"
            name="email"
            type="email"
            hint="Mail about its wallet goes there. We do not check the address: look twice. Empty: no mail."
            value={email}
            error={refused('email')}
            maxLength={254}
            onChange={change(setEmail)}
          />
          <ProblemBanner problem={unplaced(save.error, (field) => FIELDS.has(field))} />
          <div className="flex justify-end">
            <Button type="submit" isBusy={save.isPending}>
              Save
            </Button>
          </div>
        </Form>
      </div>
    </Card>
  );
}
