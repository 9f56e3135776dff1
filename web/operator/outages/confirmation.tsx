import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useLocation } from 'wouter';
import type { Problem } from '../../api.ts';
import { post } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import type { OutageMade } from '../../surface.ts';
import { AllRows } from '../../ui/all-rows.tsx';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Money } from '../../ui/money.tsx';
import { Step } from '../../ui/step.tsx';
import type { Column } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';
import { WalletLink } from '../wallet-link.tsx';
import type { Body } from './wish.ts';
import { lengthText } from './words.ts';

type Preview = NonNullable<OutageMade['preview']>;

export interface Shown {
  readonly body: Body;
  readonly preview: Preview;
}

interface ConfirmationProps {
  readonly shown: Shown;
  readonly onBack: () => void;
}

/** What would be given back for an outage, and the button that records it. */
export function Confirmation({ shown: { body, preview }, onBack }: ConfirmationProps): ReactElement {
  const queries = useQueryClient();
  const intent = useIntent();
  const say = useToast();
  const [, go] = useLocation();
  const goesOn = body['until'] === undefined;
  const create = useMutation<OutageMade, Problem>({
    mutationFn: () =>
      intent.run(JSON.stringify(body), (idempotencyKey) =>
        post<OutageMade>('/v1/outages', { ...body }, { idempotencyKey }),
      ),
    onSuccess: async ({ outage }) => {
      say('The outage is recorded.');
      await queries.invalidateQueries();
      if (outage !== null) go(`/operator/outages/${outage.sid}`);
    },
  });
  return (
    <Step label="Preview">
      <div className="rounded-xl bg-sunken px-4 py-3" aria-live="polite">
        <Facts facts={factsOf(preview)} />
      </div>
      {goesOn && (
        <Banner>
          It goes on: this is reckoned until now, <Time at={preview.until} />. What goes back is given when you end it.
        </Banner>
      )}
      {!preview.is_complete && (
        <Banner tone="warn">There is more than a preview looks at: the sums are of the first part.</Banner>
      )}
      {preview.lines.length > 0 && (
        <div className="overflow-hidden rounded-xl border border-line">
          <AllRows
            what="VMs that were down"
            columns={COLUMNS}
            rows={preview.lines}
            keyOf={({ allocation_sid: sid, from }) => `${sid} ${from}`}
          />
        </div>
      )}
      {preview.usage === null && preview.vms === 0 && (
        <Banner>Nothing would be given back: no VM that was paid for was there at the time.</Banner>
      )}
      <ProblemBanner problem={create.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
        <Button isBusy={create.isPending} onPress={() => create.mutate()}>
          {goesOn ? 'Record it' : 'Record it and give back'}
        </Button>
      </div>
    </Step>
  );
}

function factsOf({ usage, vms, returned }: Preview): readonly (readonly [string, ReactElement | string])[] {
  if (usage === null)
    return [
      ['VMs', vms.toLocaleString('en-US')],
      ['Goes back', <Money key="returned" amount={returned} />],
    ];
  return [
    ['Lines of usage', usage.lines_changed.toLocaleString('en-US')],
    ['Not touched', usage.lines_skipped.toLocaleString('en-US')],
    ['Goes back', <Money key="moved" amount={usage.sum_moved} />],
  ];
}

const COLUMNS: readonly Column<Preview['lines'][number]>[] = [
  {
    title: 'VM',
    cell: (line) => (
      <>
        <span className="font-medium">{line.name}</span>
        <p className="mt-0.5">
          <WalletLink sid={line.wallet_sid} />
        </p>
      </>
    ),
  },
  { title: 'Down', cell: (line) => lengthText(line.down_seconds) },
  { title: 'Goes back', isAmount: true, cell: (line) => <Money amount={line.amount} /> },
];
