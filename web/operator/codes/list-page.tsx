import type { ReactElement } from 'react';
import { useDeferredValue, useState } from 'react';
import { Link } from 'wouter';
import type { Code } from '../../surface.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Field } from '../../ui/field.tsx';
import { List } from '../../ui/list.tsx';
import { Money } from '../../ui/money.tsx';
import { PageTitle } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { CreateDialog } from './create-dialog.tsx';
import { CodeBadge } from './state.tsx';

/** Promo codes: what they give, to how many, and how often they were redeemed. */
export function OperatorCodesPage(): ReactElement {
  const [isMaking, setMaking] = useState(false);
  const [text, setText] = useState('');
  const search = useDeferredValue(text.trim());
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <PageTitle title="Codes" />
        <Button onPress={() => setMaking(true)}>New code</Button>
      </div>
      <p className="max-w-2xl text-soft">
        A code gives credit to whoever redeems it: used before what was paid, never paid out. It is never edited; end it
        and make another.
      </p>
      <search className="block max-w-md">
        <Field
          label="Find a code"
          name="search"
          type="search"
          hint="By its letters or its description."
          value={text}
          maxLength={100}
          onChange={setText}
        />
      </search>
      <section aria-label="Codes" className="card overflow-hidden">
        <List<Code>
          what="codes"
          path="/v1/codes"
          query={{ search }}
          columns={COLUMNS}
          keyOf={({ sid }) => sid}
          empty={
            search === '' ? (
              <EmptyState title="No codes so far">Make one with “New code”.</EmptyState>
            ) : (
              <EmptyState title={`Nothing found for “${search}”`}>Clear the search to see all codes.</EmptyState>
            )
          }
        />
      </section>
      {isMaking && <CreateDialog onClose={() => setMaking(false)} />}
    </div>
  );
}

const COLUMNS: readonly Column<Code>[] = [
  {
    title: 'Code',
    cell: (code) => (
      <>
        <Link
          href={`/operator/codes/${code.sid}`}
          className="font-medium break-all text-accent underline-offset-2 hover:underline"
        >
          {code.code}
        </Link>
        <p className="mt-0.5 text-xs text-soft">{code.description}</p>
        <p className="mt-1 md:hidden">
          <CodeBadge state={code.state} />
        </p>
      </>
    ),
  },
  { title: 'State', isExtra: true, cell: (code) => <CodeBadge state={code.state} /> },
  {
    title: 'Valid until',
    isExtra: true,
    cell: (code) => (code.valid_until === null ? 'used up or closed' : <Time at={code.valid_until} />),
  },
  {
    title: 'Uses',
    isAmount: true,
    cell: (code) => (
      <span className="tabular-nums">
        {code.uses} of {code.uses_max}
      </span>
    ),
  },
  { title: 'Gives', isAmount: true, cell: (code) => <Money amount={code.amount} /> },
];
