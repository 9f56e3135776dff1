import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import type { Movement } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Facts } from '../../ui/facts.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Money } from '../../ui/money.tsx';
import { Pills } from '../../ui/select.tsx';
import { useToast } from '../../ui/toast.tsx';

type Verb = 'assign' | 'refund' | 'suspend';

const VERBS: Readonly<Record<Verb, readonly [title: string, button: string, done: string, explanation: string]>> = {
  assign: ['Assign', 'Credit the wallet', 'The wallet was credited.', 'It becomes a top-up of a user’s wallet.'],
  refund: ['Send back', 'Send it back', 'The provider was asked to send it back.', 'It goes back to whoever paid it.'],
  suspend: [
    'Set aside',
    'Set it aside',
    'It was set aside.',
    'It is taken into the books on the suspense account, and concerns nobody’s wallet.',
  ],
};

interface Wish {
  readonly verb: Verb;
  readonly wallet: string;
  readonly reason: string;
}

interface DecideDialogProps {
  readonly movement: Movement;
  readonly onClose: () => void;
}

/** What an operator does about money that nobody has explained. Each of the three is final. */
export function DecideDialog({ movement, onClose }: DecideDialogProps): ReactElement {
  const isWhole = movement.kind === 'payment' && movement.payment_ref !== null && Number(movement.booked) === 0;
  const choices: readonly Verb[] = isWhole ? ['assign', 'refund', 'suspend'] : ['suspend'];
  const [wish, setWish] = useState<Wish>({ verb: isWhole ? 'assign' : 'suspend', wallet: '', reason: '' });
  const [refusal, setRefusal] = useState<Partial<Record<'wallet_sid' | 'reason', string>> | null>(null);
  const decision = useDecision(movement, onClose);
  const change = (changed: Partial<Wish>): void => {
    setWish({ ...wish, ...changed });
    setRefusal(null);
    decision.reset();
  };
  const submit = (): void => {
    if (decision.isPending) return;
    const missing = missingIn(wish);
    if (Object.keys(missing).length > 0) setRefusal(missing);
    else decision.mutate(wish);
  };
  const errorOf = (field: 'wallet_sid' | 'reason') => refusal?.[field] ?? decision.error?.fields.get(field);
  return (
    <Dialog title="Decide about unmatched money" onClose={onClose}>
      <Form refusal={refusal ?? decision.error} onSubmit={submit}>
        <div className="rounded-xl bg-sunken px-4 py-3">
          <Facts
            facts={[
              [
                'Line',
                <span key="ref" className="font-mono text-xs break-all">
                  {movement.ref}
                </span>,
              ],
              ['Unexplained', <Money key="unexplained" amount={movement.unexplained} isChange />],
            ]}
          />
          {movement.detail !== null && <p className="mt-2 text-sm wrap-break-word text-soft">{movement.detail}</p>}
        </div>
        {choices.length > 1 && (
          <Pills
            label="What to do"
            value={wish.verb}
            options={choices.map((verb) => [verb, VERBS[verb][0]] as const)}
            onChange={(verb) => change({ verb })}
          />
        )}
        <p className="text-sm text-soft">{VERBS[wish.verb][3]} This is final.</p>
        {wish.verb === 'assign' && (
          <Field
            label="Number of the wallet"
            name="wallet_sid"
            value={wish.wallet}
            error={errorOf('wallet_sid')}
            isRequired
            maxLength={40}
            hint="It stands on the page of the wallet."
            onChange={(wallet) => change({ wallet })}
          />
        )}
        <Field
          label="Reason"
          name="reason"
          isLong
          value={wish.reason}
          error={errorOf('reason')}
          isRequired
          maxLength={255}
          onChange={(reason) => change({ reason })}
        />
        <ProblemBanner
          problem={unplaced(
            decision.error,
            (field) => field === 'reason' || (field === 'wallet_sid' && wish.verb === 'assign'),
          )}
        />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Cancel
          </Button>
          <Button type="submit" isBusy={decision.isPending}>
            {VERBS[wish.verb][1]}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function missingIn({ verb, wallet, reason }: Wish): Partial<Record<'wallet_sid' | 'reason', string>> {
  return {
    ...(verb === 'assign' && wallet.trim() === '' ? { wallet_sid: 'Enter the number of the wallet.' } : {}),
    ...(reason.trim() === '' ? { reason: 'Say why. The reason is kept with the decision.' } : {}),
  };
}

function useDecision(movement: Movement, onClose: () => void) {
  const queries = useQueryClient();
  const say = useToast();
  const intent = useIntent();
  return useMutation<Movement, Problem, Wish>({
    mutationFn: ({ verb, wallet, reason }) => {
      const body = {
        reason: reason.trim(),
        ...(verb === 'assign' ? { wallet_sid: wallet.trim().toUpperCase() } : {}),
      };
      return intent.run(JSON.stringify([verb, body]), (idempotencyKey) =>
        post<Movement>(`/v1/movements/${seg(movement.sid)}/${verb}`, body, { idempotencyKey }),
      );
    },
    onSuccess: async (_, { verb }) => {
      say(VERBS[verb][2]);
      onClose();
      await queries.invalidateQueries();
    },
  });
}
