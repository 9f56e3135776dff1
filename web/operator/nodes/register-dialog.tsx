import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { NodeWithKey } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { readAmount } from '../../ui/money.ts';
import { Select } from '../../ui/select.tsx';
import { KeyShown } from './key-shown.tsx';

interface Wish {
  readonly name: string;
  readonly scope: 'everybody' | 'some';
  readonly users: string;
  readonly recordMax: string;
  readonly hourMax: string;
}

const FIRST: Wish = { name: '', scope: 'everybody', users: '', recordMax: '100', hourMax: '1000' };

type Errors = Partial<Record<keyof Wish, string>>;

export function RegisterDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [made, setMade] = useState<NodeWithKey | null>(null);
  return (
    <Dialog
      title={made === null ? 'Register a node' : `${made.name} is registered`}
      isSticky={made !== null}
      onClose={onClose}
    >
      {made === null ? (
        <RegisterForm onMade={setMade} />
      ) : (
        <KeyShown name={made.name} nodeKey={made.key} onClose={onClose} />
      )}
    </Dialog>
  );
}

function RegisterForm({ onMade }: { readonly onMade: (node: NodeWithKey) => void }): ReactElement {
  const queries = useQueryClient();
  const [wish, setWish] = useState(FIRST);
  const [errors, setErrors] = useState<Errors | null>(null);
  const register = useMutation<NodeWithKey, Problem, object>({
    mutationFn: (body) => post<NodeWithKey>('/v1/nodes', { ...body }),
    onSuccess: async (node) => {
      onMade(node);
      await queries.invalidateQueries({ queryKey: ['/v1/nodes'] });
    },
  });
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setErrors(null);
    register.reset();
  };
  const submit = (): void => {
    if (register.isPending) return;
    const read = readWish(wish);
    if ('body' in read) register.mutate(read.body);
    else setErrors(read.errors);
  };
  const all = errors ?? refused(register.error);
  return (
    <Form refusal={errors ?? register.error} onSubmit={submit}>
      <Field
        label="Name"
        name="name"
        hint="As the machine is known, for example node-fra-3."
        value={wish.name}
        error={all.name}
        isRequired
        maxLength={63}
        onChange={(name) => change({ name })}
      />
      <Scope wish={wish} error={all.users} change={change} />
      <Field
        label="The most that one record may cost"
        name="record_max"
        prefix="$"
        inputMode="decimal"
        value={wish.recordMax}
        error={all.recordMax}
        isRequired
        maxLength={20}
        onChange={(recordMax) => change({ recordMax })}
      />
      <Field
        label="The most that the records of one hour may cost"
        name="hour_max"
        prefix="$"
        inputMode="decimal"
        hint="A stolen key cannot do more harm than this in an hour."
        value={wish.hourMax}
        error={all.hourMax}
        isRequired
        maxLength={20}
        onChange={(hourMax) => change({ hourMax })}
      />
      <ProblemBanner problem={unplaced(register.error, hasPlace)} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={register.isPending}>
          Register
        </Button>
      </div>
    </Form>
  );
}

interface ScopeProps {
  readonly wish: Wish;
  readonly error: string | undefined;
  readonly change: (part: Partial<Wish>) => void;
}

function Scope({ wish, error, change }: ScopeProps): ReactElement {
  return (
    <>
      <Select
        label="It may report for"
        name="scope"
        value={wish.scope}
        options={[
          ['everybody', 'everybody'],
          ['some', 'certain users only'],
        ]}
        onChange={(scope) => change({ scope })}
      />
      {wish.scope === 'some' && (
        <Field
          label="Numbers of the users"
          name="user_sids"
          isLong
          hint="One in each line, up to 1,000."
          value={wish.users}
          error={error}
          isRequired
          onChange={(users) => change({ users })}
        />
      )}
    </>
  );
}

function readWish(wish: Wish): { readonly body: object } | { readonly errors: Errors } {
  const [recordMax, hourMax] = [readAmount(wish.recordMax), readAmount(wish.hourMax)];
  const users = wish.users.split(/[\s,;]+/).filter((sid) => sid !== '');
  const errors: Errors = {
    ...(wish.name.trim() === '' && { name: 'Enter a name.' }),
    ...(wish.scope === 'some' && users.length === 0 && { users: 'Enter at least one user, or choose everybody.' }),
    ...('error' in recordMax && { recordMax: recordMax.error }),
    ...('error' in hourMax && { hourMax: hourMax.error }),
  };
  if (Object.keys(errors).length > 0 || 'error' in recordMax || 'error' in hourMax) return { errors };
  return {
    body: {
      name: wish.name.trim(),
      ...(wish.scope === 'some' && { user_sids: users }),
      record_max: recordMax.amount,
      hour_max: hourMax.amount,
    },
  };
}

const hasPlace = (field: string): boolean =>
  ['name', 'record_max', 'hour_max'].includes(field) || field.startsWith('user_sids');

/** What the server had to say, at the field it is about. */
function refused(problem: Problem | null): Errors {
  const errors: Errors = {};
  for (const [field, detail] of problem?.fields ?? []) {
    if (field === 'name') errors.name = detail;
    if (field === 'record_max') errors.recordMax = detail;
    if (field === 'hour_max') errors.hourMax = detail;
    if (field.startsWith('user_sids')) errors.users = `Line ${Number(field.split('/')[1] ?? 0) + 1} ${detail}`;
  }
  return errors;
}
