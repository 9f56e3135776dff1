import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useId, useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { KeyScope, KeyWithSecret } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Checkbox, Select } from '../../ui/select.tsx';
import { KeyShown } from './key-shown.tsx';
import { endOf, LIFETIMES, SCOPES, type Lifetime } from './words.ts';

interface CreateProps {
  readonly ownerSid: string;
  readonly onClose: () => void;
}

export function CreateDialog({ ownerSid, onClose }: CreateProps): ReactElement {
  const [made, setMade] = useState<KeyWithSecret | null>(null);
  return (
    <Dialog title={made === null ? 'Make a key' : `The key ${made.name}`} isSticky={made !== null} onClose={onClose}>
      {made === null ? <CreateForm ownerSid={ownerSid} onMade={setMade} /> : <KeyShown made={made} onClose={onClose} />}
    </Dialog>
  );
}

interface CreateFormProps {
  readonly ownerSid: string;
  readonly onMade: (key: KeyWithSecret) => void;
}

function CreateForm({ ownerSid, onMade }: CreateFormProps): ReactElement {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly KeyScope[]>(['read']);
  const [lifetime, setLifetime] = useState<Lifetime>('365');
  const [errors, setErrors] = useState<{ name?: string; scopes?: string } | null>(null);
  const create = useMutation<KeyWithSecret, Problem>({
    mutationFn: () =>
      post<KeyWithSecret>('/v1/keys', { owner_sid: ownerSid, name: name.trim(), scopes, expires_at: endOf(lifetime) }),
    onSuccess: async (key) => {
      onMade(key);
      await queries.invalidateQueries({ queryKey: ['/v1/keys'] });
    },
  });
  const submit = (): void => {
    if (create.isPending) return;
    const missing = {
      ...(name.trim() === '' && { name: 'Say what it is for.' }),
      ...(scopes.length === 0 && { scopes: 'Choose at least one.' }),
    };
    if (Object.keys(missing).length > 0) setErrors(missing);
    else create.mutate();
  };
  const edit = (change: () => void): void => {
    change();
    setErrors(null);
    create.reset();
  };
  return (
    <Form refusal={errors ?? create.error} onSubmit={submit}>
      <Field
        label="What it is for"
        name="name"
        hint="The program or the machine that will have it."
        value={name}
        error={errors?.name ?? create.error?.fields.get('name')}
        isRequired
        maxLength={100}
        onChange={(text) => edit(() => setName(text))}
      />
      <ScopeChoice scopes={scopes} error={errors?.scopes} onChange={(chosen) => edit(() => setScopes(chosen))} />
      {scopes.includes('spend') && (
        <Banner tone="warn">Whoever has this key can spend all that is in the wallet.</Banner>
      )}
      <Select label="It ends" name="lifetime" value={lifetime} options={LIFETIMES} onChange={setLifetime} />
      <ProblemBanner problem={unplaced(create.error, (field) => field === 'name')} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={create.isPending}>
          Make the key
        </Button>
      </div>
    </Form>
  );
}

interface ScopeChoiceProps {
  readonly scopes: readonly KeyScope[];
  readonly error: string | undefined;
  readonly onChange: (scopes: readonly KeyScope[]) => void;
}

function ScopeChoice({ scopes, error, onChange }: ScopeChoiceProps): ReactElement {
  const id = useId();
  return (
    <fieldset aria-describedby={`${id}-error`}>
      <legend className="mb-1.5 text-sm font-medium">What it may do</legend>
      {SCOPES.map(([scope, title]) => (
        <Checkbox
          key={scope}
          label={title}
          isOn={scopes.includes(scope)}
          onChange={(isOn) => onChange(isOn ? [...scopes, scope] : scopes.filter((other) => other !== scope))}
        />
      ))}
      <p id={`${id}-error`} aria-live="polite" className="text-sm text-bad">
        {error}
      </p>
    </fieldset>
  );
}
