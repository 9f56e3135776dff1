import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { get } from '../../api.ts';
import type { Liability, LiabilityFile } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { isZero } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { Card, Loading, PageTitle } from '../../ui/page.tsx';
import { saveAnswered } from '../../ui/save-file.ts';
import type { Column } from '../../ui/table.tsx';
import { Table } from '../../ui/table.tsx';
import { instantOf, isPast } from '../../ui/time.ts';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';
import { AGES, agesOf, KINDS, type AgeRow } from './ages.ts';

/** What the house owes its customers, as of now or of an instant that was. */
export function OperatorLiabilityPage(): ReactElement {
  const [at, setAt] = useState<string | null>(null);
  const report = useQuery<Liability, Problem>({
    queryKey: ['/v1/reports/liability', at],
    queryFn: ({ signal }) => get<Liability>('/v1/reports/liability', { query: { at: at ?? undefined }, signal }),
  });
  return (
    <div className="space-y-6">
      <PageTitle title="Liability" />
      <p className="max-w-2xl text-soft">
        What is owed to customers, by the entries of the ledger alone: what was paid and not used, and what was given.
      </p>
      <AsOf at={at} onChoose={setAt} />
      {report.isPending && <Loading what="the report" />}
      {!report.data && report.error && <ProblemBanner problem={report.error} retry={() => void report.refetch()} />}
      {report.data && <Shown report={report.data} />}
    </div>
  );
}

interface AsOfProps {
  /** Null: now. */
  readonly at: string | null;
  readonly onChoose: (at: string | null) => void;
}

function AsOf({ at, onChoose }: AsOfProps): ReactElement {
  const [text, setText] = useState('');
  const [missing, setMissing] = useState<{ readonly at: string } | null>(null);
  const submit = (): void => {
    const chosen = instantOf(text);
    if (text !== '' && chosen === null) setMissing({ at: 'Choose a day and a time.' });
    else if (chosen !== null && !isPast(chosen)) setMissing({ at: 'Nobody knows what will be owed then.' });
    else onChoose(chosen);
  };
  const showNow = (): void => {
    setText('');
    setMissing(null);
    onChoose(null);
  };
  return (
    <div className="max-w-xl">
      <Form refusal={missing} onSubmit={submit}>
        <Field
          label="As of"
          name="at"
          type="datetime-local"
          hint="In your own time zone. Empty: now."
          value={text}
          error={missing?.at}
          onChange={(value) => {
            setText(value);
            setMissing(null);
          }}
        />
        <div className="flex flex-wrap gap-3">
          <Button type="submit" look="quiet">
            Show
          </Button>
          {at !== null && (
            <Button look="plain" onPress={showNow}>
              Show now
            </Button>
          )}
        </div>
      </Form>
    </div>
  );
}

function Shown({ report }: { readonly report: Liability }): ReactElement {
  const ages = agesOf(report);
  return (
    <>
      {!isZero(report.difference) && (
        <Banner tone="bad">
          The sum differs from the house’s own accounts by <Money amount={report.difference} />. Run the ledger check.
        </Banner>
      )}
      <section aria-labelledby="owed" className="card overflow-hidden">
        <div className="flex flex-wrap items-start justify-between gap-4 border-b border-line p-5 sm:p-6">
          <div>
            <h2 id="owed" className="text-sm text-soft">
              Owed on <Time at={report.at} />
            </h2>
            <p className="mt-1 text-2xl font-semibold" data-testid="owed">
              <Money amount={report.total} />
            </p>
          </div>
          <Download at={report.at} />
        </div>
        <Table caption="What is owed" columns={PARTS} rows={partsOf(report)} keyOf={({ name }) => name} />
      </section>
      <Card title="By kind and age">
        {ages.length === 0 ? (
          <EmptyState title="Nothing lies in wallets">What was paid first counts as spent first.</EmptyState>
        ) : (
          <Table caption="What is owed by kind and age" columns={AGE_COLUMNS} rows={ages} keyOf={({ kind }) => kind} />
        )}
      </Card>
      <Card title="What became of given credit">
        {report.given_by_kind.length === 0 ? (
          <EmptyState title="Nothing was given so far">
            Credit from operators, codes and bonuses is counted here.
          </EmptyState>
        ) : (
          <Table
            caption="What became of given credit"
            columns={GIVEN}
            rows={report.given_by_kind}
            keyOf={({ kind }) => kind}
          />
        )}
      </Card>
    </>
  );
}

function Download({ at }: { readonly at: string }): ReactElement {
  const say = useToast();
  const gather = useMutation<LiabilityFile, Problem>({
    mutationFn: () => get<LiabilityFile>('/v1/reports/liability/file', { query: { at } }),
    onSuccess: (file) => {
      saveAnswered(file);
      say(`Saved as ${file.file_name}.`);
    },
  });
  return (
    <div>
      <Button look="quiet" isBusy={gather.isPending} onPress={() => gather.mutate()}>
        Download as CSV
      </Button>
      <ProblemBanner problem={gather.error} />
    </div>
  );
}

interface Part {
  readonly name: string;
  readonly what: string;
  readonly amount: string;
  /** How many wallets or grants. */
  readonly count: string;
}

const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`;

const partsOf = ({ paid, owing, reserved, frozen, given }: Liability): readonly Part[] => [
  { name: 'Paid', what: 'in wallets, and not used', amount: paid.amount, count: counted(paid.count, 'wallet') },
  { name: 'Given', what: 'credit that is left', amount: given.amount, count: counted(given.count, 'grant') },
  {
    name: 'Set aside',
    what: 'by holds, and refunds under way',
    amount: reserved.amount,
    count: counted(reserved.count, 'wallet'),
  },
  { name: 'Disputed', what: 'until a bank decides', amount: frozen.amount, count: counted(frozen.count, 'wallet') },
  { name: 'Owing', what: 'wallets below zero', amount: owing.amount, count: counted(owing.count, 'wallet') },
];

const named = (name: string, what: string): ReactNode => (
  <>
    <span className="font-medium">{name}</span>
    <p className="mt-0.5 text-xs text-soft">{what}</p>
  </>
);

const PARTS: readonly Column<Part>[] = [
  { title: 'Part', cell: ({ name, what }) => named(name, what) },
  { title: 'Count', isAmount: true, cell: ({ count }) => count },
  { title: 'Amount', isAmount: true, cell: ({ amount }) => <Money amount={amount} /> },
];

const AGE_COLUMNS: readonly Column<AgeRow>[] = [
  { title: 'Kind', cell: ({ kind }) => <span className="font-medium">{KINDS[kind]}</span> },
  ...AGES.map(([age, title]): Column<AgeRow> => ({
    title,
    isAmount: true,
    cell: ({ amounts }) => <Money amount={amounts[age]} />,
  })),
];

const GIVEN: readonly Column<Liability['given_by_kind'][number]>[] = [
  { title: 'Kind', cell: ({ kind, grants }) => named(KINDS[kind], counted(grants, 'grant')) },
  { title: 'Given', isAmount: true, cell: (row) => <Money amount={row.given} /> },
  { title: 'Used', isAmount: true, cell: (row) => <Money amount={row.used} /> },
  { title: 'Expired', isAmount: true, cell: (row) => <Money amount={row.expired} /> },
  { title: 'Taken back', isAmount: true, cell: (row) => <Money amount={row.revoked} /> },
  { title: 'Left', isAmount: true, cell: (row) => <Money amount={row.outstanding} /> },
];
