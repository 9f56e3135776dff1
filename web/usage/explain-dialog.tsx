import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { get, seg } from '../api.ts';
import { useSession } from '../session.ts';
import type { Explanation } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { Banner, ProblemBanner } from '../ui/banner.tsx';
import { formatDollars } from '../ui/decimal.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Money } from '../ui/money.tsx';
import { Loading } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { priceText } from './price-text.ts';
import { TakeBack } from './take-back.tsx';

export interface LineName {
  readonly walletSid: string;
  readonly seq: number;
}

interface ExplainDialogProps extends LineName {
  readonly onClose: () => void;
}

/** How the charge of one line came about, computed once more by the server. An operator can take it back from here. */
export function ExplainDialog({ walletSid, seq, onClose }: ExplainDialogProps): ReactElement {
  const { role } = useSession();
  const explanation = useQuery<Explanation, Problem>({
    queryKey: ['explanation', walletSid, seq],
    queryFn: ({ signal }) =>
      get<Explanation>(`/v1/billings/${seg(walletSid)}/statement/${seq}/explanation`, { signal }),
  });
  return (
    <Dialog title={`Line ${seq}: why this amount?`} isWide onClose={onClose}>
      {explanation.isPending && <Loading what="the explanation" />}
      <ProblemBanner
        problem={explanation.data ? null : explanation.error}
        {...(explanation.error?.isUnsettled && { retry: () => void explanation.refetch() })}
      />
      {explanation.data && (
        <div className="space-y-5">
          <Sum explanation={explanation.data} />
          <Steps steps={explanation.data.steps} />
          <GivenPart given={explanation.data.given} />
          <Origin explanation={explanation.data} />
          {role === 'operator' && explanation.data.taken_back_by === null && (
            <TakeBack walletSid={walletSid} seq={seq} onDone={onClose} />
          )}
        </div>
      )}
    </Dialog>
  );
}

function Sum({ explanation }: { readonly explanation: Explanation }): ReactElement {
  const { charge, is_proved: isProved, occurred_at: at, taken_back_by: by } = explanation;
  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <p className="text-3xl font-semibold tracking-tight" data-testid="explained-charge">
          <Money amount={charge} />
        </p>
        <Badge tone={isProved ? 'good' : 'bad'} text={isProved ? 'Proved' : 'Not proved'} />
      </div>
      <p className="mt-1 text-sm text-soft">
        Used <Time at={at} />.{' '}
        {isProved
          ? 'Computed once more from the record, its price and the discount: it comes to the same.'
          : 'Computed once more it comes to something else. Tell the operator the number of this line.'}
      </p>
      {by !== null && (
        <div className="mt-3">
          <Banner tone="warn">Taken back by line {by} of the statement.</Banner>
        </div>
      )}
    </div>
  );
}

function Steps({ steps }: Pick<Explanation, 'steps'>): ReactElement | null {
  if (steps.length === 0) return null;
  return (
    <section aria-label="Steps">
      <h3 className="mb-1 text-sm font-semibold">Step by step</h3>
      <ol className="rounded-xl bg-sunken px-4 py-1 text-sm">
        {steps.map(({ what, amount }) => (
          <li key={what} className="border-b border-line py-2.5 last:border-0 sm:flex sm:justify-between sm:gap-6">
            <span className="min-w-0">
              <Sentence text={what} />
            </span>
            {amount !== null && (
              <span className="block text-right font-medium break-all tabular-nums sm:max-w-1/2 sm:shrink-0">
                {formatDollars(amount)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Which given credit has paid it. */
function GivenPart({ given }: Pick<Explanation, 'given'>): ReactElement | null {
  if (given.length === 0) return null;
  return (
    <section aria-label="Given credit">
      <h3 className="mb-1 text-sm font-semibold">Paid with given credit</h3>
      <ul className="rounded-xl bg-sunken px-4 py-1 text-sm">
        {given.map(({ grant_sid: sid, reason, amount }) => (
          <li key={sid} className="flex justify-between gap-6 border-b border-line py-2.5 last:border-0">
            <span className="min-w-0">{reason}</span>
            <span className="shrink-0 font-medium">
              <Money amount={amount} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** The server's sentence, with its instants in the reader's zone. */
function Sentence({ text }: { readonly text: string }): ReactElement {
  return <>{text.split(INSTANT).map((part) => (INSTANT.test(part) ? <Time key={part} at={part} /> : part))}</>;
}

function Origin({ explanation }: { readonly explanation: Explanation }): ReactElement {
  const { price, record, node_name: node } = explanation;
  return (
    <>
      <dl className="grid gap-x-6 gap-y-3 text-sm sm:grid-cols-2">
        <div>
          <dt className="text-soft">Price</dt>
          <dd className="font-medium break-words">{priceText(price)}</dd>
          <dd className="text-xs text-soft">
            {price.resource_kind ?? `everything in ${price.category}`}, from <Time at={price.active_from} /> on
          </dd>
        </div>
        <div>
          <dt className="text-soft">Reported by</dt>
          <dd className="font-medium break-all">{node ?? 'the service itself'}</dd>
        </div>
      </dl>
      <details className="text-sm">
        <summary className="cursor-pointer font-medium text-accent">The record as it was kept</summary>
        <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-xl bg-sunken px-4 py-3 font-mono text-xs">
          {Object.entries(record).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-soft">{name}</dt>
              <dd className="break-all">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}
