import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, patch, seg, unplaced } from '../api.ts';
import { OrganisationsCard } from '../organisation/card.tsx';
import { useSession } from '../session.ts';
import type { User } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Loading, PageTitle } from '../ui/page.tsx';
import { Select } from '../ui/select.tsx';
import { useToast } from '../ui/toast.tsx';
import { KeysCard } from './keys/card.tsx';

const LANGUAGES = [
  ['en', 'English'],
  ['sw', 'Kiswahili'],
] as const;

export function AccountPage(): ReactElement {
  const sid = useSession().user?.sid ?? '';
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
      {user.data && <KeysCard />}
      <OrganisationsCard />
    </div>
  );
}

const FIELDS = new Set(['display_name', 'email']);

function Contact({ user }: { readonly user: User }): ReactElement {
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
    <section aria-label="How we write to you" className="card p-5 sm:p-8">
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
    </section>
  );
}
