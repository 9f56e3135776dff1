import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { post, unplaced } from '../api.ts';
import type { EndpointWithSecret } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { SecretShown } from './secret-shown.tsx';
import { TypeChoice } from './type-choice.tsx';

interface AddDialogProps {
  /** Whose events it is told of; an operator's own is told of everybody's. */
  readonly walletSid: string | undefined;
  readonly onClose: () => void;
}

export function AddDialog({ walletSid, onClose }: AddDialogProps): ReactElement {
  const [made, setMade] = useState<EndpointWithSecret | null>(null);
  return (
    <Dialog
      title={made === null ? 'Add an endpoint' : 'The endpoint is there'}
      isSticky={made !== null}
      onClose={onClose}
    >
      {made === null ? (
        <AddForm walletSid={walletSid} onMade={setMade} />
      ) : (
        <SecretShown secret={made.secret} onClose={onClose} />
      )}
    </Dialog>
  );
}

const FIELDS = new Set(['url', 'description']);

interface AddFormProps {
  readonly walletSid: string | undefined;
  readonly onMade: (endpoint: EndpointWithSecret) => void;
}

function AddForm({ walletSid, onMade }: AddFormProps): ReactElement {
  const queries = useQueryClient();
  const [url, setUrl] = useState('');
  const [description, setDescription] = useState('');
  const [types, setTypes] = useState<EndpointWithSecret['types']>([]);
  const [errors, setErrors] = useState<{ url?: string; description?: string } | null>(null);
  const add = useMutation<EndpointWithSecret, Problem>({
    mutationFn: () =>
      post<EndpointWithSecret>('/v1/endpoints', {
        url: url.trim(),
        description: description.trim(),
        types,
        ...(walletSid === undefined ? {} : { wallet_sid: walletSid }),
      }),
    onSuccess: async (endpoint) => {
      onMade(endpoint);
      await queries.invalidateQueries({ queryKey: ['/v1/endpoints'] });
    },
  });
  const change =
    (set: (text: string) => void) =>
    (text: string): void => {
      set(text);
      setErrors(null);
      add.reset();
    };
  const submit = (): void => {
    if (add.isPending) return;
    const missing = {
      ...(url.trim() === '' && { url: 'Enter the address.' }),
      ...(description.trim() === '' && { description: 'Say what it is for.' }),
    };
    if (Object.keys(missing).length > 0) setErrors(missing);
    else add.mutate();
  };
  const refusedUrl = add.error?.fields.get('url');
  return (
    <Form refusal={errors ?? add.error} onSubmit={submit}>
      <Field
        label="Address"
        name="url"
        type="url"
        hint="https, on the public internet."
        value={url}
        error={errors?.url ?? (refusedUrl && `The address ${refusedUrl}.`)}
        isRequired
        maxLength={2_000}
        onChange={change(setUrl)}
      />
      <Field
        label="What it is for"
        name="description"
        value={description}
        error={errors?.description ?? add.error?.fields.get('description')}
        isRequired
        maxLength={200}
        onChange={change(setDescription)}
      />
      <TypeChoice types={types} onChange={setTypes} />
      <ProblemBanner problem={unplaced(add.error, (field) => FIELDS.has(field))} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={add.isPending}>
          Add the endpoint
        </Button>
      </div>
    </Form>
  );
}
