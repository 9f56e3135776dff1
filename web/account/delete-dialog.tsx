import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../api.ts';
import { get, post, seg } from '../api.ts';
import { useSessionChange } from '../session.ts';
import type { Erasure, User } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Loading } from '../ui/page.tsx';
import { useToast } from '../ui/toast.tsx';

interface DeleteProps {
  readonly user: User;
  readonly onClose: () => void;
}

/** What is typed by whoever means it. */
const WORD = 'delete';

/** Says what is in the way, or what will happen; then it takes a word that nobody types by accident. */
export function DeleteDialog({ user, onClose }: DeleteProps): ReactElement {
  const erasure = useQuery<Erasure, Problem>({
    queryKey: ['erasure', user.sid],
    queryFn: ({ signal }) => get<Erasure>(`/v1/users/${seg(user.sid)}/erasure`, { signal }),
    gcTime: 0,
  });
  return (
    <Dialog title="Delete your account?" onClose={onClose}>
      {erasure.isPending && <Loading what="what is open" />}
      {!erasure.data && <ProblemBanner problem={erasure.error} retry={() => void erasure.refetch()} />}
      {erasure.data && erasure.data.obstacles.length > 0 && (
        <Obstacles obstacles={erasure.data.obstacles} onClose={onClose} />
      )}
      {erasure.data?.obstacles.length === 0 && <Confirm user={user} onClose={onClose} />}
    </Dialog>
  );
}

function Obstacles({
  obstacles,
  onClose,
}: {
  readonly obstacles: Erasure['obstacles'];
  readonly onClose: () => void;
}): ReactElement {
  return (
    <div className="space-y-4">
      <p className="text-sm">It cannot be deleted yet:</p>
      <ul className="list-disc space-y-1.5 pl-5 text-sm">
        {obstacles.map(({ code, message }) => (
          <li key={code}>{message}</li>
        ))}
      </ul>
      <div className="flex justify-end">
        <Button look="quiet" onPress={onClose}>
          Close
        </Button>
      </div>
    </div>
  );
}

function Confirm({ user, onClose }: DeleteProps): ReactElement {
  const say = useToast();
  const change = useSessionChange();
  const [, navigate] = useLocation();
  const [word, setWord] = useState('');
  const [wrong, setWrong] = useState<object | null>(null);
  const erase = useMutation<Erasure, Problem>({
    mutationFn: () => post<Erasure>(`/v1/users/${seg(user.sid)}/erase`),
    onSuccess: async () => {
      say('Your account is deleted.');
      navigate('/', { replace: true });
      await change();
    },
  });
  const submit = (): void => {
    if (word.trim().toLowerCase() !== WORD) setWrong({});
    else if (!erase.isPending) erase.mutate();
  };
  return (
    <div className="space-y-4">
      <Banner tone="warn">
        This cannot be undone. You are signed out everywhere, nothing of yours is sent or charged any more, and whoever
        signs in the same way later begins with an empty wallet.
      </Banner>
      <Form refusal={wrong} onSubmit={submit}>
        <Field
          label={`Type “${WORD}” to confirm`}
          name="confirm"
          value={word}
          error={wrong && `Type the word ${WORD}.`}
          isRequired
          maxLength={20}
          onChange={(text) => {
            setWord(text);
            setWrong(null);
          }}
        />
        <ProblemBanner problem={erase.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Keep my account
          </Button>
          <Button type="submit" look="danger" isBusy={erase.isPending}>
            Delete it
          </Button>
        </div>
      </Form>
    </div>
  );
}
