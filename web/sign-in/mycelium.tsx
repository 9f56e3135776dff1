import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, unplaced } from '../api.ts';
import { useSession } from '../session.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { InboxLink } from './inbox-link.tsx';
import { MyceliumCode, type Challenge } from './mycelium-code.tsx';

export type MyceliumPurpose = 'sign_in' | 'link' | 'prove';

interface MyceliumProps {
  readonly purpose: MyceliumPurpose;
  /** The session is another one from now on: read it anew. */
  readonly onDone: () => Promise<void>;
}

/** A button that opens into the whole way: an address, a code that goes there, and back. Nothing where it is not set up. */
export function MyceliumSignIn(props: MyceliumProps): ReactElement | null {
  const { mycelium } = useSession();
  const [isOpen, setOpen] = useState(false);
  if (mycelium === null) return null;
  if (!isOpen) {
    return (
      <Button look="quiet" isWide onPress={() => setOpen(true)}>
        {OPENS[props.purpose]}
      </Button>
    );
  }
  return (
    <section aria-labelledby="mycelium-title" className="card space-y-4 p-6">
      <h2 id="mycelium-title" className="font-semibold">
        {OPENS[props.purpose]}
      </h2>
      <Steps {...props} />
    </section>
  );
}

const OPENS: Readonly<Record<MyceliumPurpose, string>> = {
  sign_in: 'Sign in with a Mycelium node',
  link: 'Add a Mycelium node',
  prove: 'Show who you are with a Mycelium node',
};

function Steps({ purpose, onDone }: MyceliumProps): ReactElement {
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  const [address, setAddress] = useState('');
  if (challenge === null)
    return <AskForCode purpose={purpose} address={address} onAddress={setAddress} onSent={setChallenge} />;
  return (
    <MyceliumCode key={challenge.challenge} challenge={challenge} onDone={onDone} onBack={() => setChallenge(null)} />
  );
}

const FIELDS = new Set(['address']);

function AskForCode({
  purpose,
  address,
  onAddress,
  onSent,
}: {
  readonly purpose: MyceliumPurpose;
  readonly address: string;
  readonly onAddress: (address: string) => void;
  readonly onSent: (challenge: Challenge) => void;
}): ReactElement {
  const { mycelium } = useSession();
  const [isEmpty, setEmpty] = useState<object | null>(null);
  const ask = useMutation<Challenge, Problem>({
    mutationFn: () => post<Challenge>('/login/challenge', { address: address.trim(), purpose }),
    onSuccess: onSent,
  });
  const submit = (): void => {
    if (address.trim() === '') setEmpty({});
    else if (!ask.isPending) ask.mutate();
  };
  return (
    <>
      <p className="text-sm text-soft">
        We send a code through the Mycelium network to the address that you give. Whoever can read it there comes in.
      </p>
      <Form refusal={isEmpty ?? ask.error} onSubmit={submit}>
        <Field
          label="Address of your node"
          name="address"
          hint="It begins with 4 or 5, and your daemon tells it: mycelium inspect."
          value={address}
          error={isEmpty ? 'Enter the address of your node.' : ask.error?.fields.get('address')}
          isRequired
          maxLength={100}
          onChange={(text) => {
            onAddress(text);
            setEmpty(null);
            ask.reset();
          }}
        />
        <ProblemBanner problem={unplaced(ask.error, (field) => FIELDS.has(field))} />
        <Button type="submit" isWide isBusy={ask.isPending}>
          Send a code to my node
        </Button>
      </Form>
      {typeof mycelium?.inbox_url === 'string' && <InboxLink url={mycelium.inbox_url} text="See the play nodes" />}
      <details className="text-sm text-soft">
        <summary className="cursor-pointer font-medium text-ink">What this shows, and what not</summary>
        <p className="mt-2">
          It shows that you can read what reaches this node: you have its key, or may use its daemon. Everybody who
          works on the node’s machine can do that as well, and all addresses of the node are one account here. It says
          nothing about your name.
        </p>
      </details>
    </>
  );
}
