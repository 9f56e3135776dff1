import type { FormEvent, ReactElement } from 'react';
import { useState } from 'react';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { useSignIn } from './use-sign-in.ts';

/** Play money only: anybody is who they say. */
export function SandboxSignIn(): ReactElement {
  const [name, setName] = useState('');
  const [error, setError] = useState<string | null>(null);
  const user = useSignIn('/login/sandbox');
  const operator = useSignIn('/login/sandbox');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() === '') setError('Enter a name. Any name opens a wallet of its own.');
    else user.send({ name: name.trim() });
  };
  return (
    <>
      <p className="mt-2 text-soft">Pick any name. The same name brings you back to the same wallet.</p>
      <form noValidate className="card mt-6 space-y-4 p-6" onSubmit={submit}>
        <Field
          label="Your name"
          name="name"
          value={name}
          error={error ?? user.problem?.fields.get('name')}
          isRequired
          maxLength={80}
          autoComplete="nickname"
          onChange={(value) => {
            setName(value);
            setError(null);
          }}
        />
        <ProblemBanner problem={user.problem} />
        <Button type="submit" isWide isBusy={user.isBusy}>
          Open my wallet
        </Button>
      </form>
      <div className="mt-6 space-y-3 border-t border-line pt-6">
        <p className="text-sm text-soft">Running the place? See all wallets, adjust a balance, look into payments.</p>
        <Button
          look="quiet"
          isWide
          isBusy={operator.isBusy}
          onPress={() => operator.send({ name: 'Operator', role: 'operator' })}
        >
          Sign in as operator
        </Button>
        <ProblemBanner problem={operator.problem} />
      </div>
    </>
  );
}
