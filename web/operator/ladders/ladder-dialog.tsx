import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post } from '../../api.ts';
import type { Ladder } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Checkbox } from '../../ui/select.tsx';
import { Step } from '../../ui/step.tsx';
import { useToast } from '../../ui/toast.tsx';
import { RungFields } from './rung-fields.tsx';
import { Rungs } from './rungs.tsx';
import { stateOf, stretchesOf } from './state.ts';
import type { LadderBody, LadderErrors, LadderWish } from './wish.ts';
import { readWish, refusedErrors, wishLike } from './wish.ts';

interface LadderDialogProps {
  /** Empty: of a category that has none so far. */
  readonly category: string;
  readonly ladders: readonly Ladder[];
  readonly onClose: () => void;
}

/** A new version in two steps: the form begins with the present one; then both are shown side by side. */
export function LadderDialog({ category, ladders, onClose }: LadderDialogProps): ReactElement {
  const [wish, setWish] = useState(() => wishLike(category, activeOf(ladders, category)));
  const [body, setBody] = useState<LadderBody | null>(null);
  const [errors, setErrors] = useState<LadderErrors | null>(null);
  return (
    <Dialog title={category === '' ? 'New ladder' : `New version for ${category}`} onClose={onClose}>
      {body === null ? (
        <LadderForm
          wish={wish}
          isCategoryFixed={category !== ''}
          errors={errors}
          onChange={(next) => {
            setWish(next);
            setErrors(null);
          }}
          onRead={(read) => ('body' in read ? setBody(read.body) : setErrors(read.errors))}
        />
      ) : (
        <Preview
          body={body}
          present={activeOf(ladders, body.category)}
          onBack={(problem) => {
            setErrors(problem && refusedErrors(problem));
            setBody(null);
          }}
          onDone={onClose}
        />
      )}
    </Dialog>
  );
}

function activeOf(ladders: readonly Ladder[], category: string): Ladder | null {
  const own = ladders.filter((ladder) => ladder.category === category);
  return own.find((ladder) => stateOf(ladder, own) === 'active') ?? null;
}

interface LadderFormProps {
  readonly wish: LadderWish;
  readonly isCategoryFixed: boolean;
  readonly errors: LadderErrors | null;
  readonly onChange: (wish: LadderWish) => void;
  readonly onRead: (read: ReturnType<typeof readWish>) => void;
}

function LadderForm({ wish, isCategoryFixed, errors, onChange, onRead }: LadderFormProps): ReactElement {
  const change = (part: Partial<LadderWish>): void => onChange({ ...wish, ...part });
  return (
    <Form refusal={errors} onSubmit={() => onRead(readWish(wish))}>
      {!isCategoryFixed && (
        <Field
          label="Category"
          name="category"
          hint="As nodes report it: small letters, digits and _."
          value={wish.category}
          error={errors?.category}
          isRequired
          maxLength={32}
          onChange={(category) => change({ category })}
        />
      )}
      <RungFields rungs={wish.rungs} errors={errors?.rungs ?? []} onChange={(rungs) => change({ rungs })} />
      <Field
        label="Days without use that do not break it"
        name="grace_days"
        inputMode="numeric"
        value={wish.graceDays}
        error={errors?.graceDays}
        isRequired
        maxLength={3}
        onChange={(graceDays) => change({ graceDays })}
      />
      <Checkbox
        label="Never charge less than the provider charges us"
        isOn={wish.isFloorAtCost}
        onChange={(isFloorAtCost) => change({ isFloorAtCost })}
      />
      <Field
        label="From, if not from now on"
        name="active_from"
        type="datetime-local"
        hint="In your own time zone. What happened before keeps the version of its time."
        value={wish.activeFrom}
        error={errors?.activeFrom}
        onChange={(activeFrom) => change({ activeFrom })}
      />
      <div className="flex justify-end">
        <Button type="submit">Preview</Button>
      </div>
    </Form>
  );
}

interface PreviewProps {
  readonly body: LadderBody;
  readonly present: Ladder | null;
  readonly onBack: (problem: Problem | null) => void;
  readonly onDone: () => void;
}

function Preview({ body, present, onBack, onDone }: PreviewProps): ReactElement {
  const queries = useQueryClient();
  const say = useToast();
  const set = useMutation<Ladder, Problem, LadderBody>({
    mutationFn: (ladder) => post<Ladder>('/v1/ladders', { ...ladder }),
    onSuccess: async (ladder) => {
      say(`Version ${ladder.version} of the ladder of ${ladder.category} is set.`);
      onDone();
      await queries.invalidateQueries({ queryKey: ['/v1/ladders'] });
    },
  });
  return (
    <Step label="Preview">
      <div className="rounded-xl bg-sunken px-4 py-3">
        <h3 className="mb-1 text-sm font-semibold">{present === null ? 'Now' : `Now: version ${present.version}`}</h3>
        <Rungs stretches={stretchesOf(present?.rungs ?? [])} />
      </div>
      <div className="rounded-xl bg-wash px-4 py-3">
        <h3 className="mb-1 text-sm font-semibold">New, for {body.category}</h3>
        <Rungs stretches={stretchesOf(body.rungs)} />
      </div>
      {body.rungs.length === 0 && <Banner tone="warn">Without rungs nobody gets a discount.</Banner>}
      <p className="text-sm text-soft">What was charged stays charged; usage after it takes the new version.</p>
      <ProblemBanner problem={set.error} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={() => onBack(set.error)}>
          Back
        </Button>
        <Button isBusy={set.isPending} onPress={() => set.mutate(body)}>
          Set this version
        </Button>
      </div>
    </Step>
  );
}
