import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { useEffect, useState } from 'react';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import { answerProofsWith } from '../proof.ts';
import { readSession, SESSION_KEY, useSession, useSessionChange, useSignOut } from '../session.ts';
import type { Page, UserIdentity } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Loading } from '../ui/page.tsx';

/** Around the pages: when the server wants to know once more who it is, here is the question, and what was begun goes on afterwards. */
export function ProofGate({ children }: { readonly children: ReactNode }): ReactElement {
  const [answer, setAnswer] = useState<((isProven: boolean) => void) | null>(null);
  useEffect(() => {
    answerProofsWith(() => new Promise((resolve) => setAnswer(() => resolve)));
    return () => answerProofsWith(null);
  }, []);
  const end = (isProven: boolean): void => {
    answer?.(isProven);
    setAnswer(null);
  };
  return (
    <>
      {children}
      {answer !== null && <ProofDialog onEnd={end} />}
    </>
  );
}

interface ProofProps {
  readonly onEnd: (isProven: boolean) => void;
}

function ProofDialog({ onEnd }: ProofProps): ReactElement {
  const { user, mode } = useSession();
  return (
    <Dialog title="Show once more who you are" onClose={() => onEnd(false)}>
      <div className="space-y-4">
        <p className="text-sm text-soft">
          For money, keys and people a sign-in may be ten minutes old. What you have begun goes on afterwards.
        </p>
        {user === null && mode !== 'sandbox' && <SecretProof onEnd={onEnd} />}
        {user === null && mode === 'sandbox' && <PlayProof name="Operator" isOperator onEnd={onEnd} />}
        {user !== null && <IdentityProof userSid={user.sid} onEnd={onEnd} />}
      </div>
    </Dialog>
  );
}

/** Shows it in the way of `path`, and reads who is signed in then: the new session has a new form token. */
function useProof(path: string, onEnd: ProofProps['onEnd']) {
  const { user } = useSession();
  const queries = useQueryClient();
  const change = useSessionChange();
  const proof = useMutation<unknown, Problem, Record<string, string>>({
    mutationFn: async (body) => {
      await post(path, body);
      const session = await readSession();
      const isSame = (session.user?.sid ?? null) === (user?.sid ?? null);
      // Somebody else is signed in now: what was begun is not theirs, and neither is what the pages have read.
      if (isSame) queries.setQueryData(SESSION_KEY, session);
      onEnd(isSame);
      if (!isSame) await change();
    },
  });
  return {
    send: (body: Record<string, string>): void => {
      if (!proof.isPending) proof.mutate(body);
    },
    isBusy: proof.isPending,
    problem: proof.error,
  };
}

function SecretProof({ onEnd }: ProofProps): ReactElement {
  const [secret, setSecret] = useState('');
  const [error, setError] = useState<{ readonly text: string } | null>(null);
  const { send, isBusy, problem } = useProof('/login/admin', onEnd);
  const submit = (): void => {
    if (secret === '') setError({ text: 'Enter the admin secret.' });
    else send({ admin_secret: secret });
  };
  return (
    <Form refusal={error} onSubmit={submit}>
      <Field
        label="Admin secret"
        name="admin_secret"
        type="password"
        autoComplete="current-password"
        value={secret}
        error={error?.text}
        isRequired
        onChange={(value) => {
          setSecret(value);
          setError(null);
        }}
      />
      <ProblemBanner problem={problem} />
      <Button type="submit" isWide isBusy={isBusy}>
        Go on
      </Button>
    </Form>
  );
}

function PlayProof({
  name,
  isOperator = false,
  onEnd,
}: ProofProps & { readonly name: string; readonly isOperator?: boolean }): ReactElement {
  const { send, isBusy, problem } = useProof('/login/sandbox', onEnd);
  return (
    <>
      <ProblemBanner problem={problem} />
      <Button isWide isBusy={isBusy} onPress={() => send({ name, ...(isOperator && { role: 'operator' }) })}>
        It is me, {name}
      </Button>
    </>
  );
}

/** By the play name where that is how they came; else by signing in anew. */
function IdentityProof({ userSid, onEnd }: ProofProps & { readonly userSid: string }): ReactElement {
  const { mode } = useSession();
  const identities = useQuery<Page<UserIdentity>, Problem>({
    queryKey: ['identities', userSid],
    queryFn: ({ signal }) => get<Page<UserIdentity>>(`/v1/users/${seg(userSid)}/identities`, { signal }),
  });
  if (identities.isPending) return <Loading what="the ways in which you sign in" />;
  const play = identities.data?.items.find(({ kind }) => kind === 'sandbox');
  return (
    <>
      <ProblemBanner problem={identities.error} retry={() => void identities.refetch()} />
      {mode === 'sandbox' && play !== undefined && <PlayProof name={play.label} onEnd={onEnd} />}
      <SignInAnew isOnly={play === undefined || mode !== 'sandbox'} onEnd={onEnd} />
    </>
  );
}

/** Always possible: the page of the address is there again after the sign-in. */
function SignInAnew({ isOnly, onEnd }: ProofProps & { readonly isOnly: boolean }): ReactElement {
  const signOut = useSignOut();
  const leave = useMutation<void, Problem>({
    mutationFn: async () => {
      onEnd(false);
      await signOut();
    },
  });
  return (
    <>
      {isOnly && <p className="text-sm">Sign in again: you come back to this page, and begin once more.</p>}
      <Button look={isOnly ? 'primary' : 'quiet'} isWide isBusy={leave.isPending} onPress={() => leave.mutate()}>
        Sign in again
      </Button>
    </>
  );
}
