import type { ReactElement } from 'react';
import { useState } from 'react';
import type { SshKey } from '../surface.ts';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { PageTitle } from '../ui/page.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { AddDialog } from './add-dialog.tsx';
import { RemoveDialog } from './remove-dialog.tsx';

type Open = { readonly kind: 'add' } | { readonly kind: 'remove'; readonly key: SshKey };

/** The SSH keys of whoever is signed in, whatever wallet the pages are about. */
export function SshKeysPage(): ReactElement {
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="SSH keys" />
        <Button onPress={() => setOpen({ kind: 'add' })}>Add a key…</Button>
      </div>
      <p className="max-w-2xl text-soft">
        The public halves of the keys by which you reach your VMs. They come onto VMs that you ask for from then on;
        what may come into a VM that is there is changed on the VM itself.
      </p>
      <section aria-label="SSH keys" className="card overflow-hidden">
        <List<SshKey>
          what="SSH keys"
          path="/v1/ssh-keys"
          columns={columnsOf((key) => setOpen({ kind: 'remove', key }))}
          keyOf={({ sid }) => sid}
          empty={
            <EmptyState title="No SSH keys">
              Add one before you ask for a VM. “ssh-keygen -t ed25519” makes a pair; what is asked for is the file that
              ends in .pub.
            </EmptyState>
          }
        />
      </section>
      {open?.kind === 'add' && <AddDialog onClose={close} />}
      {open?.kind === 'remove' && <RemoveDialog of={open.key} onClose={close} />}
    </div>
  );
}

const columnsOf = (remove: (key: SshKey) => void): readonly Column<SshKey>[] => [
  {
    title: 'Key',
    cell: (key) => (
      <>
        <span className="font-medium">{key.name}</span>
        <p className="mt-0.5 font-mono text-xs break-all text-soft">{key.fingerprint}</p>
      </>
    ),
  },
  { title: 'Type', isExtra: true, cell: (key) => key.public_key.split(' ')[0] },
  { title: 'Added', isExtra: true, cell: (key) => <Time at={key.created_at} /> },
  {
    title: 'Change',
    isAmount: true,
    cell: (key) => (
      <Button look="plain" size="small" label={`Remove ${key.name}`} onPress={() => remove(key)}>
        Remove
      </Button>
    ),
  },
];
