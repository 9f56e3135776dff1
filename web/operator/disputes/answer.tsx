import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, seg, unplaced } from '../../api.ts';
import { useIntent } from '../../intent.ts';
import { providerName } from '../../payment/list.tsx';
import type { Dispute, DisputeAnswer, DisputeWithAnswers } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { formatMoney } from '../../ui/money.ts';
import { Card } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';

type Kind = DisputeAnswer['kind'];

interface Words {
  readonly name: string;
  readonly title: string;
  readonly open: string;
  readonly button: string;
  readonly done: string;
  readonly label: string;
  readonly missing: string;
  readonly field: 'statement' | 'reason';
  readonly path: string;
  readonly lengthMax: number;
}

const WORDS: Readonly<Record<Kind, Words>> = {
  evidence: {
    name: 'Evidence',
    title: 'Hand in evidence',
    open: 'Hand in evidence…',
    button: 'Hand it in',
    done: 'The provider was asked to take the evidence.',
    label: 'Statement to the bank',
    missing: 'Say in a sentence why the payment was the customer’s own.',
    field: 'statement',
    path: 'evidence',
    lengthMax: 5_000,
  },
  accept: {
    name: 'The loss was accepted',
    title: 'Accept the loss',
    open: 'Accept the loss…',
    button: 'Accept the loss',
    done: 'The provider was asked to close the dispute.',
    label: 'Reason',
    missing: 'Say why. The reason is kept with the decision.',
    field: 'reason',
    path: 'accept',
    lengthMax: 255,
  },
};

const STATES: Readonly<Record<DisputeAnswer['state'], string>> = {
  requested: 'on its way: the provider is asked until it has it',
  sent: 'the provider has it',
  refused: 'the provider would not take it',
};

/** What was answered through us, and the two answers there are, as long as one can be given. */
export function Answers({ dispute }: { readonly dispute: DisputeWithAnswers }): ReactElement {
  const [asked, setAsked] = useState<Kind | null>(null);
  const { answers, why_no_answer: why } = dispute;
  return (
    <Card title="Answer">
      <div className="space-y-4 p-5 sm:p-6">
        {answers.length > 0 && (
          <ul className="space-y-3 text-sm">
            {answers.map((answer) => (
              <li key={answer.sid}>
                <p className="font-medium">
                  {WORDS[answer.kind].name}: {STATES[answer.state]}
                </p>
                <p className="wrap-break-word text-soft">{answer.reason}</p>
                {answer.detail !== null && <p className="text-bad">{answer.detail}</p>}
                <p className="text-xs text-soft">
                  <Time at={answer.created_at} />
                </p>
              </li>
            ))}
          </ul>
        )}
        {why === null ? (
          <div className="flex flex-wrap gap-3">
            <Button onPress={() => setAsked('evidence')}>{WORDS.evidence.open}</Button>
            <Button look="quiet" onPress={() => setAsked('accept')}>
              {WORDS.accept.open}
            </Button>
          </div>
        ) : (
          <p className="text-sm text-soft">{why}</p>
        )}
      </div>
      {asked !== null && <AnswerDialog dispute={dispute} kind={asked} onClose={() => setAsked(null)} />}
    </Card>
  );
}

interface AnswerDialogProps {
  readonly dispute: Dispute;
  readonly kind: Kind;
  readonly onClose: () => void;
}

function AnswerDialog({ dispute, kind, onClose }: AnswerDialogProps): ReactElement {
  const words = WORDS[kind];
  const [text, setText] = useState('');
  const [isMissing, setMissing] = useState(false);
  const answer = useAnswer(dispute, words, onClose);
  const submit = (): void => {
    if (answer.isPending) return;
    if (text.trim() === '') setMissing(true);
    else answer.mutate(text.trim());
  };
  const missing = isMissing ? { [words.field]: words.missing } : null;
  return (
    <Dialog title={words.title} onClose={onClose}>
      <Form refusal={missing ?? answer.error} onSubmit={submit}>
        <Banner tone="warn">
          {kind === 'accept'
            ? `The dispute is closed at ${providerName(dispute.provider)}: ${formatMoney(dispute.amount)} are gone, with the fee. This cannot be taken back.`
            : `Receipts, usage and sign-ins of the customer are gathered now and go to ${providerName(dispute.provider)} with your statement. A bank reads one answer: nothing can be added later.`}
        </Banner>
        <Field
          label={words.label}
          name={words.field}
          isLong
          value={text}
          error={missing?.[words.field] ?? answer.error?.fields.get(words.field)}
          isRequired
          maxLength={words.lengthMax}
          onChange={(changed) => {
            setText(changed);
            setMissing(false);
            answer.reset();
          }}
        />
        <ProblemBanner problem={unplaced(answer.error, (field) => field === words.field)} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Cancel
          </Button>
          <Button type="submit" isBusy={answer.isPending}>
            {words.button}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function useAnswer(dispute: Dispute, { field, path, done }: Words, onClose: () => void) {
  const queries = useQueryClient();
  const say = useToast();
  const intent = useIntent();
  return useMutation<DisputeAnswer, Problem, string>({
    mutationFn: (text) =>
      intent.run(JSON.stringify([path, text]), (idempotencyKey) =>
        post<DisputeAnswer>(`/v1/disputes/${seg(dispute.sid)}/${path}`, { [field]: text }, { idempotencyKey }),
      ),
    onSuccess: async () => {
      say(done);
      onClose();
      await queries.invalidateQueries();
    },
  });
}
