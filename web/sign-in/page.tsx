import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post } from '../api.ts';
import { useSession, useSessionChange } from '../session.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { PageTitle } from '../ui/page.tsx';
import { MyceliumSignIn } from './mycelium.tsx';

export function SignInPage(): ReactElement {
  const { mode } = useSession();
  const change = useSessionChange();
  return (
    <div className="mx-auto max-w-sm pt-4 sm:pt-12">
      <PageTitle title={mode === 'sandbox' ? 'Sign in' : 'Operator sign-in'} />
      {mode === 'sandbox' ? <SandboxSignIn /> : <OperatorSignIn />}
      <div className="mt-6">
        <MyceliumSignIn purpose="sign_in" onDone={change} />
      </div>
    </div>
  );
}

function useSignIn(path: string): {
  readonly send: (body: Record<string, string>) => void;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
} {
  const change = useSessionChange();
  const signIn = useMutation<unknown, Problem, Record<string, string>>({
    mutationFn: async (body) => {
      await post(path, body);
      await change();
    },
  });
  return {
    send: (body) => {
      if (!signIn.isPending) signIn.mutate(body);
    },
    isBusy: signIn.isPending,
    problem: signIn.error,
  };
}

function SandboxSignIn(): ReactElement {
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

function OperatorSignIn(): ReactElement {
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
      <p className="mt-2 text-soft">For the people who run this server.</p>
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
