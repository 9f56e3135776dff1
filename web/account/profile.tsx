import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { patch, seg, unplaced } from '../api.ts';
import type { User } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Card } from '../ui/page.tsx';
import { Select } from '../ui/select.tsx';
import { useToast } from '../ui/toast.tsx';

const LANGUAGES = [
  ['en', 'English'],
  ['sw', 'Kiswahili'],
] as const;

const FIELDS = new Set(['display_name', 'email']);

/** How one is called and written to. */
export function Contact({ user }: { readonly user: User }): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const [name, setName] = useState(user.display_name);
  const [email, setEmail] = useState(user.email ?? '');
  const [language, setLanguage] = useState(user.language);
  const save = useMutation<User, Problem>({
    mutationFn: () =>
      patch<User>(`/v1/users/${seg(user.sid)}`, {
        display_name: name.trim(),
        email: email.trim() === '' ? null : email.trim(),
        language,
      }),
    onSuccess: async (changed) => {
      queries.setQueryData(['user', user.sid], changed);
      say('Saved.');
      await queries.invalidateQueries({ queryKey: ['session'] });
    },
  });
  const change =
    (set: (text: string) => void) =>
    (text: string): void => {
      set(text);
      save.reset();
    };
  const refusedEmail = save.error?.fields.get('email');
  return (
    <Card title="Profile">
      <div className="p-5 sm:p-6">
        <Form refusal={save.error} onSubmit={() => void (save.isPending || save.mutate())}>
          <Field
            label="Name"
            name="display_name"
            hint="As it stands on receipts."
            value={name}
            error={save.error?.fields.get('display_name')}
            isRequired
            maxLength={100}
            autoComplete="name"
            onChange={change(setName)}
          />
          <Field
            label="E-mail address"
            name="email"
            type="email"
            hint="We write when a payment arrives, your balance is low, or money goes back. We do not check that the address is yours: look twice. Empty: no mail."
            value={email}
            error={refusedEmail && `This ${refusedEmail}.`}
            maxLength={254}
            autoComplete="email"
            onChange={change(setEmail)}
          />
          <Select
            label="Language of mail and receipts"
            name="language"
            value={language}
            options={LANGUAGES}
            onChange={setLanguage}
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
