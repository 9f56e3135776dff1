import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { Problem } from '../api.ts';
import { post } from '../api.ts';
import { useSession } from '../session.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { formatClock } from '../ui/time.ts';
import { InboxLink } from './inbox-link.tsx';

/** As /login/challenge answers it. */
export interface Challenge {
  readonly challenge: string;
  readonly address: string;
  readonly number: string;
  readonly expires_at: string;
}

interface CodeProps {
  readonly challenge: Challenge;
  readonly onDone: () => Promise<void>;
  readonly onBack: () => void;
}

/** How often it is asked whether the node has replied. */
const LOOK_MS = 2_000;

/** The code is typed here, or the node replies: whichever comes first. */
export function MyceliumCode({ challenge, onDone, onBack }: CodeProps): ReactElement {
  const { mycelium } = useSession();
  const [code, setCode] = useState('');
  const [isEmpty, setEmpty] = useState<object | null>(null);
  const section = useRef<HTMLDivElement>(null);
  useEffect(() => section.current?.querySelector('input')?.focus(), []);
  const send = useMutation<unknown, Problem>({
    mutationFn: async () => {
      await post('/login/verify', { challenge: challenge.challenge, code: code.trim() });
      await onDone();
    },
  });
  const isOver = send.error?.code === 'state_conflict';
  const reply = useReply(challenge, { isWanted: !send.isPending && !isOver, onDone });
  const submit = (): void => {
    if (code.trim() === '') setEmpty({});
    else if (!send.isPending) send.mutate();
  };
  return (
    <div ref={section} className="space-y-4">
      <p aria-live="polite" className="text-sm">
        We sent a code to <span className="font-mono text-xs break-all">{challenge.address}</span>. It is good until{' '}
        <time dateTime={challenge.expires_at}>{formatClock(challenge.expires_at)}</time>.
      </p>
      <Form refusal={isEmpty ?? send.error} onSubmit={submit}>
        <Field
          label="Code"
          name="code"
          hint="Three times four letters and digits, in the message to your node with the topic “login”."
          value={code}
          error={isEmpty ? 'Enter the code from the message.' : wrongCode(send.error)}
          isRequired
          maxLength={40}
          autoComplete="one-time-code"
          onChange={(text) => {
            setCode(text);
            setEmpty(null);
            send.reset();
          }}
        />
        <ProblemBanner problem={wrongCode(send.error) === undefined ? (send.error ?? reply) : null} />
        <Button type="submit" isWide isBusy={send.isPending}>
          Continue
        </Button>
      </Form>
      <p className="text-sm text-soft">
        Or let the node reply with the code, a space, and this number:{' '}
        <strong className="amount text-ink" data-testid="number">
          {challenge.number}
        </strong>
        . This page notices by itself.
      </p>
      {typeof mycelium?.inbox_url === 'string' && (
        <InboxLink url={mycelium.inbox_url} text="Read it at the play node" />
      )}
      <Button look="plain" isWide onPress={onBack}>
        Ask for another code
      </Button>
    </div>
  );
}

/** A wrong code with tries left stands at its field; everything else is about the whole. */
function wrongCode(problem: Problem | null): string | undefined {
  return problem?.code === 'unauthenticated' ? problem.message : undefined;
}

type Looked = { readonly state?: 'waiting' };

/** Looks for the node's reply until it has come or cannot come any more: then the problem is why. */
function useReply(
  { challenge }: Challenge,
  { isWanted, onDone }: { readonly isWanted: boolean; readonly onDone: () => Promise<void> },
): Problem | null {
  const look = useQuery<Looked, Problem>({
    queryKey: ['mycelium-reply', challenge],
    queryFn: async () => {
      const looked = await post<Looked>('/login/verify', { challenge });
      if (looked.state !== 'waiting') await onDone();
      return looked;
    },
    enabled: isWanted,
    retry: false,
    gcTime: 0,
    refetchInterval: ({ state }) =>
      isFinal(state.error) || (state.data && state.data.state !== 'waiting') ? false : LOOK_MS,
  });
  return look.error !== null && isFinal(look.error) ? look.error : null;
}

/** Our own node or the connection may be back at the next look. */
const isFinal = (problem: Problem | null): boolean =>
  problem !== null && problem.status >= 400 && problem.status < 500 && problem.status !== 429;
