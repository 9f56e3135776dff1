import type { ReactElement } from 'react';
import type { Grant } from '../surface.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { List } from '../ui/list.tsx';
import { isZero } from '../ui/money.ts';
import { Money } from '../ui/money.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';

const COLUMNS: readonly Column<Grant>[] = [
  {
    title: 'Given for',
    cell: (grant) => (
      <>
        <span className="font-medium">{grant.reason}</span>
        {!isZero(grant.held) && (
          <p className="mt-0.5 text-xs text-soft">
            and <Money amount={grant.held} /> set aside by a hold
          </p>
        )}
        <p className="mt-0.5 text-xs text-soft md:hidden">
          <End grant={grant} />
        </p>
      </>
    ),
  },
  { title: 'Usable until', isExtra: true, cell: (grant) => <End grant={grant} /> },
  {
    title: 'Left',
    isAmount: true,
    cell: (grant) => (
      <>
        <Money amount={grant.left} />
        <p className="mt-0.5 text-xs text-soft">
          of <Money amount={grant.amount} />
        </p>
      </>
    ),
  },
];

const End = ({ grant }: { readonly grant: Grant }): ReactElement =>
  grant.expires_at === null ? (
    <>no end</>
  ) : (
    <>
      <span className="md:sr-only">until </span>
      <Time at={grant.expires_at} />
    </>
  );

/** What a wallet was given and has not used up, and in which order it goes. */
export function GivenCredit({ walletSid }: { readonly walletSid: string }): ReactElement {
  return (
    <section aria-labelledby="given-credit" className="card overflow-hidden">
      <div className="p-5 sm:p-6">
        <h2 id="given-credit" className="font-semibold">
          Given credit
        </h2>
        <p className="mt-1 text-sm text-soft">
          It is used before what you have paid: what ends first goes first. It cannot be paid out, and what is left at
          its end is gone.
        </p>
      </div>
      <List<Grant>
        what="given credit"
        path="/v1/grants"
        query={{ wallet_sid: walletSid, state: 'open' }}
        columns={COLUMNS}
        keyOf={(grant) => grant.sid}
        empty={<EmptyState title="Nothing is left">Credit that you are given is listed here.</EmptyState>}
      />
    </section>
  );
}
