import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useId, useState } from 'react';
import { Link } from 'wouter';
import type { Problem, Rows } from '../api.ts';
import { getAll, post, unplaced } from '../api.ts';
import { useIntent } from '../intent.ts';
import type { Allocation, SshKey, Subscription } from '../surface.ts';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { Button, buttonClass } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Loading } from '../ui/page.tsx';
import { Checkbox } from '../ui/select.tsx';
import { useToast } from '../ui/toast.tsx';

interface RequestProps {
  readonly plan: Subscription;
  readonly onClose: () => void;
}

/** Asks for a VM of the plan. Who has no SSH key is sent to add one first: nobody could reach the VM. */
export function RequestDialog({ plan, onClose }: RequestProps): ReactElement {
  const keys = useQuery<Rows<SshKey>, Problem>({
    queryKey: ['/v1/ssh-keys', 'all'],
    queryFn: ({ signal }) => getAll<SshKey>('/v1/ssh-keys', { signal }),
  });
  return (
    <Dialog title="Ask for a VM" onClose={onClose}>
      {keys.isPending && <Loading what="your SSH keys" />}
      {!keys.data && keys.error && <ProblemBanner problem={keys.error} retry={() => void keys.refetch()} />}
      {keys.data?.items.length === 0 && <NoKey onClose={onClose} />}
      {keys.data && keys.data.items.length > 0 && <RequestForm plan={plan} keys={keys.data.items} onClose={onClose} />}
    </Dialog>
  );
}

const NoKey = ({ onClose }: { readonly onClose: () => void }): ReactElement => (
  <div className="space-y-4">
    <p>
      You have no SSH key, so nobody could reach the VM. Add your public key first; it comes onto every VM that you ask
      for from then on.
    </p>
    <div className="flex flex-wrap justify-end gap-3">
      <Button look="quiet" onPress={onClose}>
        Not now
      </Button>
      <Link href="/ssh-keys" className={buttonClass()}>
        Add an SSH key
      </Link>
    </div>
  </div>
);

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const PLACES = ['name', 'ssh_key_sids'];

interface FormProps extends RequestProps {
  readonly keys: readonly SshKey[];
}

function RequestForm({ plan, keys, onClose }: FormProps): ReactElement {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>(() => keys.map(({ sid }) => sid));
  const [missing, setMissing] = useState<{ readonly name?: string; readonly keys?: string } | null>(null);
  const { ask, reset } = useRequest(plan.wallet_sid, onClose);
  const isFull = ask.error?.code === 'pool_empty';
  const edit = (change: () => void): void => {
    change();
    setMissing(null);
    reset();
  };
  const submit = (): void => {
    if (ask.isPending) return;
    const found = {
      ...(!NAME.test(name.trim()) && { name: 'Use 1 to 63 small letters, digits and hyphens, for example web-1.' }),
      ...(chosen.length === 0 && { keys: 'Choose at least one: nobody could reach the VM.' }),
    };
    if (Object.keys(found).length > 0) setMissing(found);
    else ask.mutate({ name: name.trim(), ssh_key_sids: chosen });
  };
  return (
    <Form refusal={missing ?? ask.error} onSubmit={submit}>
      <p className="text-sm text-soft">
        It takes one of the {plan.vm_total - plan.vm_used} that are left of your plan, of size {plan.vm_size}, and costs
        nothing more.
      </p>
      <Field
        label="Name"
        name="name"
        hint="What it is called, for example web-1."
        value={name}
        error={missing?.name ?? ask.error?.fields.get('name')}
        isRequired
        maxLength={63}
        onChange={(text) => edit(() => setName(text))}
      />
      <KeyChoice
        keys={keys}
        chosen={chosen}
        error={missing?.keys ?? ask.error?.fields.get('ssh_key_sids')}
        onChange={(sids) => edit(() => setChosen(sids))}
      />
      {isFull ? (
        <div role="alert">
          <Banner tone="warn">
            No machine is free at the moment. Nothing was taken of your plan: try again in a while.
          </Banner>
        </div>
      ) : (
        <ProblemBanner problem={unplaced(ask.error, (field) => PLACES.includes(field))} />
      )}
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onClose}>
          Not now
        </Button>
        <Button type="submit" isBusy={ask.isPending}>
          Ask for it
        </Button>
      </div>
    </Form>
  );
}

interface Wish {
  readonly name: string;
  readonly ssh_key_sids: readonly string[];
}

function useRequest(walletSid: string, onClose: () => void) {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const ask = useMutation<Allocation, Problem, Wish>({
    mutationFn: (wish) => {
      const body = { wallet_sid: walletSid, ...wish };
      return intent.run(JSON.stringify(body), (idempotencyKey) =>
        post<Allocation>('/v1/allocations', body, { idempotencyKey }),
      );
    },
    onSuccess: async (vm) => {
      say(vm.state === 'active' ? `${vm.name} is yours.` : `${vm.name} is on its way.`);
      onClose();
      await queries.invalidateQueries();
    },
  });
  return { ask, reset: ask.reset };
}

interface KeyChoiceProps {
  readonly keys: readonly SshKey[];
  readonly chosen: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (sids: readonly string[]) => void;
}

function KeyChoice({ keys, chosen, error, onChange }: KeyChoiceProps): ReactElement {
  const id = useId();
  return (
    <fieldset aria-describedby={`${id}-hint ${id}-error`}>
      <legend className="mb-1.5 text-sm font-medium">SSH keys that may come in</legend>
      <div className="max-h-48 overflow-y-auto">
        {keys.map(({ sid, name, fingerprint }) => (
          <Checkbox
            key={sid}
            label={keys.some((other) => other.sid !== sid && other.name === name) ? `${name}, ${fingerprint}` : name}
            isOn={chosen.includes(sid)}
            onChange={(isOn) => onChange(isOn ? [...chosen, sid] : chosen.filter((other) => other !== sid))}
          />
        ))}
      </div>
      <p id={`${id}-hint`} className="mt-1 text-sm text-soft">
        They cannot be changed here afterwards, only on the VM itself.
      </p>
      <p id={`${id}-error`} aria-live="polite" className="text-sm text-bad">
        {error}
      </p>
    </fieldset>
  );
}
