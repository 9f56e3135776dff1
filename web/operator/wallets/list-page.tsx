import type { ReactElement } from 'react';
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { Billing } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Field } from '../../ui/field.tsx';
import { List } from '../../ui/list.tsx';
import { fromCents } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';

const COLUMNS: readonly Column<Billing>[] = [
  {
    title: 'Wallet',
    cell: (wallet) => (
      <>
        <Link
          href={`/operator/wallets/${wallet.sid}`}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          {wallet.display_name ?? 'No name'}
        </Link>
        <p className="font-mono text-xs break-all text-soft">{wallet.sid}</p>
        {wallet.is_frozen && <Badge tone="bad" text="Frozen" />}
      </>
    ),
  },
  {
    title: 'Last active',
    isExtra: true,
    cell: (wallet) => (wallet.last_active_at === null ? 'never' : <Time at={wallet.last_active_at} />),
  },
  {
    title: 'Paid in',
    isAmount: true,
    isExtra: true,
    cell: (wallet) => <Money amount={fromCents(wallet.lifetime_paid_cents)} />,
  },
  { title: 'Reserved', isAmount: true, isExtra: true, cell: (wallet) => <Money amount={wallet.reserved} /> },
  {
    title: 'Balance',
    isAmount: true,
    cell: (wallet) => <Money amount={wallet.credit_balance} currency={wallet.currency} />,
  },
];

const TYPING_PAUSE_MS = 250;

/** Keeps the search in the address, so that a reload and the back button find the same list. */
function useSearchText(): readonly [string, string, (text: string) => void] {
  const [params, setParams] = useSearchParams();
  const searched = params.get('search') ?? '';
  const [text, setText] = useState(searched);
  useEffect(() => {
    if (text.trim() === searched) return undefined;
    const pause = setTimeout(
      () => setParams(text.trim() === '' ? {} : { search: text.trim() }, { replace: true }),
      TYPING_PAUSE_MS,
    );
    return () => clearTimeout(pause);
  }, [text, searched, setParams]);
  return [text, searched, setText];
}

export function OperatorWalletsPage(): ReactElement {
  const [text, searched, setText] = useSearchText();
  return (
    <div className="space-y-6">
      <PageTitle title="Wallets" />
      <search className="max-w-md">
        <Field
          label="Find a wallet"
          name="search"
          type="search"
          hint="By name, or by the number of the wallet or the user."
          value={text}
          maxLength={200}
          onChange={setText}
        />
      </search>
      <section aria-label="Wallets" className="card overflow-hidden">
        <List<Billing>
          what="wallets"
          path="/v1/billings"
          query={{ search: searched === '' ? undefined : searched }}
          columns={COLUMNS}
          keyOf={(wallet) => wallet.sid}
          more="Show more"
          empty={
            searched === '' ? (
              <EmptyState title="No wallets so far">A wallet opens when a user signs in for the first time.</EmptyState>
            ) : (
              <EmptyState title={`Nothing found for “${searched}”`}>
                Try a part of the name, or the whole number.
              </EmptyState>
            )
          }
        />
      </section>
    </div>
  );
}
