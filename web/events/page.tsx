import type { ReactElement } from 'react';
import { useState } from 'react';
import { Link } from 'wouter';
import { seg } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import { useSession } from '../session.ts';
import type { Endpoint } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { PageTitle } from '../ui/page.tsx';
import type { Column } from '../ui/table.tsx';
import { AddDialog } from './add-dialog.tsx';
import { endpointText } from './words.ts';

/** Where one's events are sent: a user's own endpoints, or all for an operator. */
export function EventsPage(): ReactElement {
  const { role } = useSession();
  const { wallet } = useChosenWallet();
  const mayChange = role === 'operator' || wallet.role === 'owner';
  const walletSid = role === 'operator' ? undefined : wallet.wallet_sid;
  const [isAdding, setAdding] = useState(false);
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <PageTitle title={role === 'operator' ? 'Endpoints' : 'Events'} />
        {mayChange && <Button onPress={() => setAdding(true)}>Add an endpoint</Button>}
      </div>
      <p className="text-soft">
        {role === 'operator'
          ? 'Yours are told of everything that happens, those of users of their own wallet.'
          : 'A program of yours can be told what happens to the wallet, signed, at an address that you name.'}{' '}
        What does not arrive is sent again for three days.
      </p>
      <section aria-label="Endpoints" className="card overflow-hidden">
        <List<Endpoint>
          what="endpoints"
          path="/v1/endpoints"
          query={{ wallet_sid: walletSid }}
          columns={role === 'operator' ? COLUMNS : COLUMNS.filter(({ title }) => title !== 'Whose')}
          keyOf={(endpoint) => endpoint.sid}
          refreshMs={30_000}
          empty={
            <EmptyState title="No endpoints yet">
              {mayChange ? 'Add one, and send it a test.' : `An owner of ${wallet.name} can add one.`}
            </EmptyState>
          }
        />
      </section>
      {isAdding && <AddDialog walletSid={walletSid} onClose={() => setAdding(false)} />}
    </div>
  );
}

const COLUMNS: readonly Column<Endpoint>[] = [
  {
    title: 'Endpoint',
    cell: (endpoint) => (
      <>
        <PageLink endpoint={endpoint} />
        <p className="font-mono text-xs break-all text-soft">{endpoint.url}</p>
      </>
    ),
  },
  {
    title: 'Told of',
    isExtra: true,
    cell: (endpoint) => (endpoint.types.length === 0 ? 'everything' : endpoint.types.join(', ')),
  },
  { title: 'Whose', isExtra: true, cell: (endpoint) => (endpoint.user_sid === null ? 'operators' : 'a user’s') },
  {
    title: 'State',
    cell: (endpoint) => {
      const [text, tone] = endpointText(endpoint);
      return <Badge tone={tone} text={text} />;
    },
  },
];

function PageLink({ endpoint }: { readonly endpoint: Endpoint }): ReactElement {
  const { role } = useSession();
  return (
    <Link
      href={`${role === 'operator' ? '/operator' : ''}/events/${seg(endpoint.sid)}`}
      className="font-medium text-accent underline-offset-2 hover:underline"
    >
      {endpoint.description}
    </Link>
  );
}
