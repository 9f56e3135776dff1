import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, unplaced } from '../api.ts';
import type { SshKey } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { useToast } from '../ui/toast.tsx';

const PLACES = ['public_key', 'name'];

export function AddDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [wish, setWish] = useState({ publicKey: '', name: '' });
  const [missing, setMissing] = useState<{ readonly public_key: string } | null>(null);
  const queries = useQueryClient();
  const say = useToast();
  const add = useMutation<SshKey, Problem>({
    mutationFn: () =>
      post<SshKey>('/v1/ssh-keys', {
        public_key: wish.publicKey.trim(),
        ...(wish.name.trim() !== '' && { name: wish.name.trim() }),
      }),
    onSuccess: async ({ name }) => {
      say(`${name} is added.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['/v1/ssh-keys'] });
    },
  });
  const change = (part: Partial<typeof wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    add.reset();
  };
  const submit = (): void => {
    if (add.isPending) return;
    const problem = problemOf(wish.publicKey);
    if (problem === null) add.mutate();
    else setMissing({ public_key: problem });
  };
  const refused = add.error?.fields.get('public_key');
  return (
    <Dialog title="Add an SSH key" onClose={onClose}>
      <Form refusal={missing ?? add.error} onSubmit={submit}>
        <Field
          label="Public key"
          name="public_key"
          isLong
          hint="The one line of a file such as ~/.ssh/id_ed25519.pub."
          placeholder="ssh-ed25519 AAAAC3… me@laptop"
          value={wish.publicKey}
          error={missing?.public_key ?? (refused === undefined ? null : `The key ${refused}.`)}
          isRequired
          maxLength={8_000}
          onChange={(publicKey) => change({ publicKey })}
        />
        <Field
          label="Name"
          name="name"
          hint="What you know it by. Left empty: the comment behind the key."
          value={wish.name}
          error={add.error?.fields.get('name')}
          maxLength={100}
          onChange={(name) => change({ name })}
        />
        <ProblemBanner problem={unplaced(add.error, (field) => PLACES.includes(field))} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Not now
          </Button>
          <Button type="submit" isBusy={add.isPending}>
            Add the key
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** A private key does not even leave the browser. */
function problemOf(text: string): string | null {
  if (text.trim() === '') return 'Paste your public key.';
  if (!text.includes('PRIVATE KEY')) return null;
  return 'That is a private key: give it to nobody. Paste the file beside it that ends in .pub.';
}
