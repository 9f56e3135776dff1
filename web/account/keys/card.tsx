import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSession } from '../../session.ts';
import type { UserKey } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { CreateDialog } from './create-dialog.tsx';
import { RevokeDialog } from './revoke-dialog.tsx';
import { RotateDialog } from './rotate-dialog.tsx';
import { scopesText, STATES } from './words.ts';

type Open = { readonly kind: 'create' } | { readonly kind: 'rotate' | 'revoke'; readonly key: UserKey };

/** Keys for scripts, of the person who is signed in or of an organisation that is theirs. */
export function KeysCard({ ownerSid }: { readonly ownerSid?: string }): ReactElement {
  const { user } = useSession();
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  const owner = ownerSid ?? user?.sid ?? '';
  return (
    <section aria-labelledby="keys-title" className="card overflow-hidden">
      <div className="flex flex-wrap items-start justify-between gap-3 p-5 sm:px-6">
        <div className="max-w-md">
          <h2 id="keys-title" tabIndex={-1} className="text-lg font-semibold outline-none">
            Keys for scripts
          </h2>
          <p className="mt-1 text-sm text-soft">
            A program shows one instead of signing in. It reaches this wallet only.
          </p>
        </div>
        <Button size="small" onPress={() => setOpen({ kind: 'create' })}>
          Make a key
        </Button>
      </div>
      <div className="border-t border-line">
        <List<UserKey>
          what="keys"
          path="/v1/keys"
          query={{ owner_sid: owner }}
          columns={columnsOf(setOpen)}
          keyOf={(key) => key.sid}
          empty={
            <EmptyState title="No keys yet">
              Make one for each program, so that one can end without the others.
            </EmptyState>
          }
        />
      </div>
      {open?.kind === 'create' && <CreateDialog ownerSid={owner} onClose={close} />}
      {open?.kind === 'rotate' && <RotateDialog of={open.key} onClose={close} />}
      {open?.kind === 'revoke' && <RevokeDialog of={open.key} onClose={close} />}
    </section>
  );
}

const columnsOf = (open: (dialog: Open) => void): readonly Column<UserKey>[] => [
  { title: 'Key', cell: (key) => <KeyFacts of={key} /> },
  { title: 'Change', cell: (key) => key.state === 'live' && <Buttons of={key} open={open} /> },
];

interface ButtonsProps {
  readonly of: UserKey;
  readonly open: (dialog: Open) => void;
}

const Buttons = ({ of: key, open }: ButtonsProps): ReactElement => (
  <div className="flex flex-col items-start gap-2 sm:flex-row sm:justify-end">
    <Button look="quiet" size="small" onPress={() => open({ kind: 'rotate', key })}>
      Rotate<span className="sr-only"> {key.name}</span>
    </Button>
    <Button look="danger" size="small" onPress={() => open({ kind: 'revoke', key })}>
      Revoke<span className="sr-only"> {key.name}</span>
    </Button>
  </div>
);

function KeyFacts({ of: key }: { readonly of: UserKey }): ReactElement {
  const [text, tone] = STATES[key.state];
  return (
    <div className="space-y-1">
      <p className="font-medium wrap-anywhere">
        {key.name} <Badge tone={tone} text={text} />
      </p>
      <p className="font-mono text-xs break-all text-soft">uk_{key.key_id}_…</p>
      <p className="text-soft">
        {scopesText(key.scopes)} · last used {key.last_used_at === null ? 'never' : <Time at={key.last_used_at} />}
        {key.state === 'live' && key.expires_at !== null && (
          <>
            {' '}
            · ends <Time at={key.expires_at} />
          </>
        )}
      </p>
      {key.state === 'live' && key.old_key_until !== null && (
        <p className="text-soft">
          The key before it is good until <Time at={key.old_key_until} />, last used{' '}
          {key.old_key_last_used_at === null ? 'never' : <Time at={key.old_key_last_used_at} />}
        </p>
      )}
    </div>
  );
}
