import type { FormEvent, ReactElement } from 'react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Unbilled } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Field } from '../../ui/field.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { usedWithCategory } from '../../usage/words.ts';
import { WalletLink } from '../wallet-link.tsx';

/** Usage that was delivered and that nobody could pay. */
export function OperatorUnbilledPage(): ReactElement {
  const [params, setParams] = useSearchParams();
  const wallet = params.get('wallet_sid') ?? '';
  return (
    <div className="space-y-6">
      <PageTitle title="Unbilled" />
      <p className="max-w-2xl text-soft">
        Usage that was delivered when its wallet was already at the limit of what it may owe. It is kept with its price
        and was not charged.
      </p>
      <WalletFilter key={wallet} wallet={wallet} onChange={(sid) => setParams(sid === '' ? {} : { wallet_sid: sid })} />
      <section aria-label="Unbilled usage" className="card overflow-hidden">
        <List<Unbilled>
          what="unbilled usage"
          path="/v1/usage/unbilled"
          query={{ wallet_sid: wallet === '' ? undefined : wallet }}
          columns={COLUMNS}
          keyOf={(usage) => usage.id}
          empty={
            wallet === '' ? (
              <EmptyState title="Everything was billed">
                Usage past what a wallet may owe would be listed here. There is none.
              </EmptyState>
            ) : (
              <EmptyState title="Everything of this wallet was billed">Clear the filter to see all wallets.</EmptyState>
            )
          }
        />
      </section>
    </div>
  );
}

const SID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

interface WalletFilterProps {
  readonly wallet: string;
  readonly onChange: (sid: string) => void;
}

function WalletFilter({ wallet, onChange }: WalletFilterProps): ReactElement {
  const [text, setText] = useState(wallet);
  const [error, setError] = useState<string | null>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const sid = text.trim().toUpperCase();
    if (sid === '' || SID.test(sid)) onChange(sid);
    else setError('A wallet number has 26 letters and digits. It stands on the page of the wallet.');
  };
  return (
    <search className="max-w-xl">
      <form noValidate className="flex flex-wrap items-start gap-3" onSubmit={submit}>
        <div className="min-w-0 grow">
          <Field
            label="Only of this wallet"
            name="wallet_sid"
            type="search"
            placeholder="Number of the wallet"
            value={text}
            error={error}
            maxLength={40}
            onChange={(value) => {
              setText(value);
              setError(null);
            }}
          />
        </div>
        <div className="flex gap-3 sm:pt-6.5">
          <Button type="submit" look="quiet">
            Show
          </Button>
          {wallet !== '' && (
            <Button look="plain" onPress={() => onChange('')}>
              Clear
            </Button>
          )}
        </div>
      </form>
    </search>
  );
}

const COLUMNS: readonly Column<Unbilled>[] = [
  {
    title: 'Usage',
    cell: (usage) => (
      <>
        <span className="font-medium break-all">{usedWithCategory(usage.record)}</span>
        <p className="mt-0.5 text-xs text-soft">
          <Time at={usage.recorded_at} />
        </p>
        <p className="md:hidden">
          <WalletLink sid={usage.wallet_sid} />
        </p>
      </>
    ),
  },
  { title: 'Wallet', isExtra: true, cell: (usage) => <WalletLink sid={usage.wallet_sid} /> },
  {
    title: 'Why not billed',
    isExtra: true,
    cell: (usage) => <Badge tone="warn" text={usage.code.replaceAll('_', ' ')} />,
  },
  { title: 'Would have cost', isAmount: true, cell: (usage) => <Money amount={usage.amount} /> },
];
