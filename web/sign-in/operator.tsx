import type { FormEvent, ReactElement } from 'react';
import { useState } from 'react';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { useSignIn } from './use-sign-in.ts';

/** By the admin secret. */
export function OperatorSignIn(): ReactElement {
  const [secret, setSecret] = useState('');
  const [error, setError] = useState<string | null>(null);
  const { send, isBusy, problem } = useSignIn('/login/admin');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (secret === '') setError('Enter the admin secret.');
    else send({ admin_secret: secret });
  };
  return (
    <>
      <form noValidate className="card mt-6 space-y-4 p-6" onSubmit={submit}>
        <Field
          label="Admin secret"
          name="admin_secret"
          type="password"
          autoComplete="current-password"
          hint="The value of HERO_ONBOARDING_ADMIN_SECRET."
          value={secret}
          error={error ?? problem?.fields.get('admin_secret')}
          isRequired
          onChange={(value) => {
            setSecret(value);
            setError(null);
          }}
        />
        <ProblemBanner problem={problem} />
        <Button type="submit" isWide isBusy={isBusy}>
          Sign in
        </Button>
      </form>
    </>
  );
}
