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
import { MyceliumSignIn } from './mycelium.tsx';

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
        <p className="text-sm text-soft">For money, keys and people a sign-in may be ten minutes old.</p>
        {user === null && mode !== 'sandbox' && <SecretProof onEnd={onEnd} />}
        {user === null && mode === 'sandbox' && <PlayProof name="Operator" isOperator onEnd={onEnd} />}
        {user !== null && <IdentityProof userSid={user.sid} onEnd={onEnd} />}
      </div>
    </Dialog>
  );
}

/** Reads who is signed in now that somebody has shown it: the new session has a new form token. */
function useProven(onEnd: ProofProps['onEnd']): () => Promise<void> {
  const { user } = useSession();
  const queries = useQueryClient();
  const change = useSessionChange();
  return async () => {
    const session = await readSession();
    const isSame = (session.user?.sid ?? null) === (user?.sid ?? null);
    // Somebody else is signed in now: what was begun is not theirs, and neither is what the pages have read.
    if (isSame) queries.setQueryData(SESSION_KEY, session);
    onEnd(isSame);
    if (!isSame) await change();
  };
}

/** Shows it in the way of `path`. */
function useProof(path: string, onEnd: ProofProps['onEnd']) {
  const proven = useProven(onEnd);
  const proof = useMutation<unknown, Problem, Record<string, string>>({
    mutationFn: async (body) => {
      await post(path, body);
      await proven();
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

/** By each identity of theirs that can be shown from here; else by signing in anew. */
function IdentityProof({ userSid, onEnd }: ProofProps & { readonly userSid: string }): ReactElement {
  const { mode, sign_in: providers, mycelium } = useSession();
  const proven = useProven(onEnd);
  const identities = useQuery<Page<UserIdentity>, Problem>({
    queryKey: ['identities', userSid],
    queryFn: ({ signal }) => get<Page<UserIdentity>>(`/v1/users/${seg(userSid)}/identities`, { signal }),
  });
  if (identities.isPending) return <Loading what="the ways in which you sign in" />;
  const own = identities.data?.items ?? [];
  const play = mode === 'sandbox' ? own.find(({ kind }) => kind === 'sandbox') : undefined;
  const ways = providers.filter(({ name }) => own.some(({ kind }) => kind === name));
  const hasNode = mycelium !== null && own.some(({ kind }) => kind === 'mycelium');
  return (
    <>
      <ProblemBanner problem={identities.error} retry={() => void identities.refetch()} />
      {play !== undefined && <PlayProof name={play.label} onEnd={onEnd} />}
      {ways.map(({ name, title }) => (
        <ProviderProof key={name} name={name} title={title} />
      ))}
      {hasNode && <MyceliumSignIn purpose="prove" onDone={proven} />}
      <SignInAnew isOnly={play === undefined && ways.length === 0 && !hasNode} onEnd={onEnd} />
    </>
  );
}

/** Leads to the provider and back to this page, where what was begun has to be begun once more. */
function ProviderProof({ name, title }: { readonly name: string; readonly title: string }): ReactElement {
  const start = useMutation<{ readonly location: string }, Problem>({
    mutationFn: () => post(`/login/${seg(name)}/start`, { purpose: 'prove', return_to: window.location.pathname }),
    onSuccess: ({ location }) => window.location.assign(location),
  });
  return (
    <>
      <ProblemBanner problem={start.error} />
      <Button isWide isBusy={start.isPending || start.isSuccess} onPress={() => start.mutate()}>
        Show it with {title}
      </Button>
      <p className="text-sm text-soft">You come back to this page; then begin once more.</p>
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
