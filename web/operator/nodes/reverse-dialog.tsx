import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg } from '../../api.ts';
import type { NodeReversal, UsageNode } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { decimalOf, formatMoney, microsOf } from '../../ui/money.ts';
import { Money } from '../../ui/money.tsx';
import { Step } from '../../ui/step.tsx';
import { useToast } from '../../ui/toast.tsx';
import { ReasonForm, type Shown } from '../../usage/reason-form.tsx';
import type { Window } from './window.tsx';
import { windowText, windowQuery } from './window.tsx';

interface ReverseDialogProps {
  readonly node: UsageNode;
  readonly window: Window;
  readonly onClose: () => void;
}

/** Takes back all that a node has charged in a window: a preview, then a confirmation that cannot be pressed by habit. */
export function ReverseDialog({ node, window, onClose }: ReverseDialogProps): ReactElement {
  const [shown, setShown] = useState<Shown<NodeReversal> | null>(null);
  const [reason, setReason] = useState('');
  return (
    <Dialog title={`Take back what ${node.name} has charged`} onClose={onClose}>
      <p className="mb-4 text-sm text-soft">{windowText(window)}</p>
      {node.revoked_at === null && (
        <div className="mb-4">
          <Banner tone="warn">
            The node is not revoked. If its key was stolen, revoke it first: it can go on charging meanwhile.
          </Banner>
        </div>
      )}
      {shown === null ? (
        <ReasonForm
          label="Reason"
          hint="Customers read it in their statements."
          whyWanted="Say why. The reason stands on every line that is taken back."
          whileBusy="Adding up…"
          reason={reason}
          setReason={setReason}
          ask={(text) => reverse(node, { window, reason: text, confirm: false })}
          onPreview={setShown}
        />
      ) : (
        <Confirmation node={node} window={window} shown={shown} onBack={() => setShown(null)} onDone={onClose} />
      )}
    </Dialog>
  );
}

const reverse = (
  node: UsageNode,
  body: { readonly window: Window; readonly reason: string; readonly confirm: boolean },
): Promise<NodeReversal> =>
  post<NodeReversal>(`/v1/nodes/${seg(node.sid)}/reverse`, {
    ...windowQuery(body.window),
    reason: body.reason,
    confirm: body.confirm,
  });

interface ConfirmationProps {
  readonly node: UsageNode;
  readonly window: Window;
  readonly shown: Shown<NodeReversal>;
  readonly onBack: () => void;
  readonly onDone: () => void;
}

function Confirmation({ node, window, shown, onBack, onDone }: ConfirmationProps): ReactElement {
  const { preview, reason } = shown;
  const [typed, setTyped] = useState('');
  const [refusal, setRefusal] = useState<{ readonly name: string } | null>(null);
  const { run, done, isBusy, problem } = useReversal({ node, window, onDone });
  const submit = (): void => {
    if (isBusy) return;
    if (typed.trim() === node.name) run(reason);
    else setRefusal({ name: `Type ${node.name} to confirm.` });
  };
  if (preview.records === 0) {
    return (
      <Step label="Preview">
        <Banner>
          There is nothing to take back: the node charged nothing then, or all of it was taken back already.
        </Banner>
        <div className="flex justify-end">
          <Button look="quiet" onPress={onBack}>
            Back
          </Button>
        </div>
      </Step>
    );
  }
  return (
    <Step label="Preview">
      <Form refusal={refusal} onSubmit={submit}>
        <div className="rounded-xl bg-sunken px-4 py-3" aria-live="polite" data-testid="reversal">
          <Facts
            facts={[
              ['Charges', preview.records.toLocaleString('en-US')],
              ['Wallets', preview.wallets.toLocaleString('en-US')],
              ['Goes back', <Money key="returned" amount={preview.returned} />],
            ]}
          />
        </div>
        <p className="text-sm">
          <span className="text-soft">Reason:</span> {reason}
        </p>
        <Field
          label={`Type ${node.name} to confirm`}
          name="name"
          value={typed}
          error={refusal?.name}
          isRequired
          onChange={(text) => {
            setTyped(text);
            setRefusal(null);
          }}
        />
        <ProblemBanner problem={problem} />
        <output className="block text-sm text-soft">
          {isBusy &&
            `${done.records.toLocaleString('en-US')} of ${preview.records.toLocaleString('en-US')} taken back…`}
        </output>
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onBack}>
            Back
          </Button>
          <Button type="submit" look="danger" isBusy={isBusy}>
            Take back {formatMoney(preview.returned)}
          </Button>
        </div>
      </Form>
    </Step>
  );
}

interface Done {
  readonly records: number;
  readonly returned: string;
}

const NOTHING: Done = { records: 0, returned: '0.00' };

/** The server takes back some thousands at a time and says whether to ask again. Asking again never takes back twice. */
function useReversal({ node, window, onDone }: Pick<ConfirmationProps, 'node' | 'window' | 'onDone'>): {
  readonly run: (reason: string) => void;
  readonly done: Done;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
} {
  const queries = useQueryClient();
  const say = useToast();
  const [done, setDone] = useState(NOTHING);
  const { mutate, isPending, error } = useMutation<Done, Problem, string>({
    mutationFn: async (reason) => {
      let sum = done;
      for (;;) {
        const step = await reverse(node, { window, reason, confirm: true });
        sum = {
          records: sum.records + step.records,
          returned: decimalOf(microsOf(sum.returned) + microsOf(step.returned)),
        };
        setDone(sum);
        if (step.is_complete) return sum;
      }
    },
    onSuccess: async ({ records, returned }) => {
      say(
        <>
          {records.toLocaleString('en-US')} {records === 1 ? 'charge was' : 'charges were'} taken back:{' '}
          <Money amount={returned} />.
        </>,
      );
      onDone();
      await queries.invalidateQueries();
    },
  });
  return { run: mutate, done, isBusy: isPending, problem: error };
}
