import type { ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Grant } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { List } from '../../ui/list.tsx';
import { isZero } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import { Pills } from '../../ui/select.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { WalletLink } from '../wallet-link.tsx';
import { GiveDialog } from './give-dialog.tsx';
import { RevokeDialog } from './revoke-dialog.tsx';
import { STATES } from './words.ts';

const SHOWN = [
  ['', 'All'],
  ['open', 'Open'],
  ['spent', 'Used up'],
  ['expired', 'Expired'],
  ['revoked', 'Revoked'],
] as const;
type Shown = (typeof SHOWN)[number][0];

/** Credit that was given, to whom, and what became of it. With `wallet_sid` in the address: of one wallet. */
export function OperatorGrantsPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const [isGiving, setGiving] = useState(false);
  const [revoking, setRevoking] = useState<Grant | null>(null);
  const asked = params.get('state');
  const state: Shown = SHOWN.find(([value]) => value === asked)?.[0] ?? '';
  const walletSid = params.get('wallet_sid');
  const show = (chosen: Shown, wallet: string | null): void =>
    setParams(
      { ...(chosen !== '' && { state: chosen }), ...(wallet !== null && { wallet_sid: wallet }) },
      { replace: true },
    );
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Given credit" />
        <Button onPress={() => setGiving(true)}>Give credit…</Button>
      </div>
      <p className="max-w-2xl text-soft">
        Credit that nobody has paid for. It is used before what was paid, is never paid out, and what is left at its end
        is gone.
      </p>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Pills label="State" value={state} options={SHOWN} onChange={(value) => show(value, walletSid)} />
        {walletSid !== null && (
          <p className="text-sm">
            <span className="text-soft">Of the wallet</span> <WalletLink sid={walletSid} />{' '}
            <Button look="plain" size="small" onPress={() => show(state, null)}>
              Of all wallets
            </Button>
          </p>
        )}
      </div>
      <section aria-label="Given credit" className="card overflow-hidden">
        <List<Grant>
          what="given credit"
          path="/v1/grants"
          query={{ state: state === '' ? undefined : state, wallet_sid: walletSid ?? undefined }}
          columns={columnsOf(setRevoking)}
          keyOf={({ sid }) => sid}
          empty={
            state === '' ? (
              <EmptyState title="Nothing was given so far">Give credit with the button above.</EmptyState>
            ) : (
              <EmptyState title="None in this state">Choose another one to see more.</EmptyState>
            )
          }
        />
      </section>
      {isGiving && <GiveDialog walletSid={walletSid ?? ''} onClose={() => setGiving(false)} />}
      {revoking !== null && <RevokeDialog of={revoking} onClose={() => setRevoking(null)} />}
    </div>
  );
}

const badgeOf = ({ state }: Grant): ReactElement => {
  const [tone, text] = STATES[state];
  return <Badge tone={tone} text={text} />;
};

function End({ grant }: { readonly grant: Grant }): ReactElement {
  if (grant.ended_at !== null) {
    return (
      <>
        ended <Time at={grant.ended_at} />
      </>
    );
  }
  return grant.expires_at === null ? (
    <>no end</>
  ) : (
    <>
      until <Time at={grant.expires_at} />
    </>
  );
}

const columnsOf = (revoke: (grant: Grant) => void): readonly Column<Grant>[] => [
  {
    title: 'Given for',
    cell: (grant) => (
      <>
        <span className="font-medium">{grant.reason}</span>
        <p className="mt-0.5 text-xs text-soft">
          {grant.kind} · <Time at={grant.created_at} />
        </p>
        <p className="mt-0.5 text-xs text-soft">
          <End grant={grant} />
        </p>
        <p className="mt-1 md:hidden">{badgeOf(grant)}</p>
        <p className="mt-1 md:hidden">
          <WalletLink sid={grant.wallet_sid} />
        </p>
      </>
    ),
  },
  { title: 'Wallet', isExtra: true, cell: (grant) => <WalletLink sid={grant.wallet_sid} /> },
  { title: 'State', isExtra: true, cell: badgeOf },
  {
    title: 'Left',
    isAmount: true,
    cell: (grant) => (
      <>
        <Money amount={grant.left} />
        <p className="mt-0.5 text-xs text-soft">
          of <Money amount={grant.amount} />
        </p>
        {!isZero(grant.taken_back) && (
          <p className="mt-0.5 text-xs text-soft">
            <Money amount={grant.taken_back} /> taken back
          </p>
        )}
        {grant.state === 'open' && (
          <p className="mt-1">
            <Button
              look="plain"
              size="small"
              label={`Revoke: ${grant.reason}, of ${grant.wallet_sid}`}
              onPress={() => revoke(grant)}
            >
              Revoke
            </Button>
          </p>
        )}
      </>
    ),
  },
];
