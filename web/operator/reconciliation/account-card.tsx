import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { providerName } from '../../payment/list.tsx';
import type { AccountReport } from '../../surface.ts';
import { Badge } from '../../ui/badge.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Money } from '../../ui/money.tsx';
import type { Column } from '../../ui/table.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';

const AGES: Readonly<Record<AccountReport['by_age'][number]['age'], string>> = {
  under_1_hour: 'less than an hour old',
  under_1_day: 'less than a day old',
  under_3_days: 'less than three days old',
  under_7_days: 'less than a week old',
  older: 'older than a week',
};

/** One provider account: the sums, what is unexplained by age, and the items. */
export function AccountCard({ account }: { readonly account: AccountReport }): ReactElement {
  const isExplained = account.items.length === 0 && account.remainder === '0.00';
  const aged = account.by_age.filter(({ items }) => items > 0);
  return (
    <section aria-label={`${providerName(account.provider)} ${account.account}`} className="card overflow-hidden">
      <div className="space-y-5 p-5 sm:p-6">
        <div className="flex flex-wrap items-center justify-between gap-3">
          <h2 className="text-lg font-semibold">{providerName(account.provider)}</h2>
          <Badge
            tone={isExplained ? 'good' : 'warn'}
            text={isExplained ? 'Explained to the cent' : 'Not all is explained'}
          />
        </div>
        <Facts
          facts={[
            ['By its statement', <Money key="statement" amount={account.statement} />],
            ['By our books', <Money key="books" amount={account.books} />],
            ['Unexplained', <Money key="unexplained" amount={account.unexplained} />],
            ['Fees kept', <Money key="fees" amount={account.fees} />],
          ]}
        />
        <p className="text-sm text-soft">
          {account.lines.toLocaleString('en-US')} {account.lines === 1 ? 'line' : 'lines'} of{' '}
          <span className="font-mono text-xs break-all">{account.account}</span>, read <Time at={account.read_up_to} />
        </p>
        {aged.length > 0 && (
          <ul className="flex flex-wrap gap-x-6 gap-y-2 text-sm">
            {aged.map(({ age, items, amount }) => (
              <li key={age}>
                <span className="text-soft">
                  {items} {AGES[age]}:
                </span>{' '}
                <Money amount={amount} />
              </li>
            ))}
          </ul>
        )}
        {account.remainder !== '0.00' && (
          <Banner tone="bad">
            The items do not add up to the difference: <Money amount={account.remainder} /> is left over. Run the ledger
            check before anything else.
          </Banner>
        )}
      </div>
      {account.items.length > 0 && (
        <Table
          caption="what is unexplained"
          columns={COLUMNS}
          rows={account.items}
          keyOf={(item) => `${item.side} ${item.sid}`}
        />
      )}
    </section>
  );
}

type Item = AccountReport['items'][number];

const COLUMNS: readonly Column<Item>[] = [
  {
    title: 'What',
    cell: (item) => (
      <>
        <span className="font-medium">{item.kind.replaceAll('_', ' ')}</span>
        <p className="font-mono text-xs break-all text-soft">{item.ref}</p>
      </>
    ),
  },
  {
    title: 'Who has it',
    isExtra: true,
    cell: (item) =>
      item.side === 'statement' ? (item.reason ?? 'the statement; our books may still come to it') : <OurBooks />,
  },
  { title: 'When', isExtra: true, cell: (item) => <Time at={item.at} /> },
  { title: 'Difference', isAmount: true, cell: (item) => <Money amount={item.amount} isChange /> },
];

const OurBooks = (): ReactElement => (
  <>
    our books;{' '}
    <Link href="/operator/payment-events" className="text-accent underline-offset-2 hover:underline">
      the statement has not come to it
    </Link>
  </>
);
