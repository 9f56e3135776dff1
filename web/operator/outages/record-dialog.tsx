import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { OutageMade } from '../../surface.ts';
import { ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Select } from '../../ui/select.tsx';
import { Confirmation, type Shown } from './confirmation.tsx';
import { fieldOf, PLACES, readWish, type Body, type Wish } from './wish.ts';
import { SUBJECTS } from './words.ts';

const FIRST: Wish = { subject: 'host', ref: '', from: '', until: '', reason: '' };

/** Records that something was down, in two steps: what would be given back, then the doing of it. */
export function RecordDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [wish, setWish] = useState(FIRST);
  const [shown, setShown] = useState<Shown | null>(null);
  return (
    <Dialog title="Record an outage" isWide onClose={onClose}>
      {shown === null ? (
        <WishForm wish={wish} setWish={setWish} onPreview={setShown} />
      ) : (
        <Confirmation shown={shown} onBack={() => setShown(null)} />
      )}
    </Dialog>
  );
}

interface WishFormProps {
  readonly wish: Wish;
  readonly setWish: (wish: Wish) => void;
  readonly onPreview: (shown: Shown) => void;
}

function WishForm({ wish, setWish, onPreview }: WishFormProps): ReactElement {
  const [missing, setMissing] = useState<Readonly<Record<string, string>> | null>(null);
  const preview = useMutation<OutageMade, Problem, Body>({
    mutationFn: (body) => post<OutageMade>('/v1/outages', { ...body, dry_run: true }),
    onSuccess: (answer, body) => {
      if (answer.preview !== null) onPreview({ body, preview: answer.preview });
    },
  });
  const change = (part: Partial<Wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    preview.reset();
  };
  const submit = (): void => {
    if (preview.isPending) return;
    const read = readWish(wish);
    if ('body' in read) preview.mutate(read.body);
    else setMissing(read.errors);
  };
  const told = new Map([...(preview.error?.fields ?? [])].map(([name, detail]) => [fieldOf(name), detail]));
  const errorOf = (field: string): string | undefined => missing?.[field] ?? told.get(field);
  return (
    <Form refusal={missing ?? preview.error} onSubmit={submit}>
      <Select
        label="What was down"
        name="subject"
        value={wish.subject}
        options={SUBJECTS}
        onChange={(subject) => change({ subject, ref: '' })}
      />
      <Field
        label={wish.subject === 'host' ? 'Name of the host' : 'Its number'}
        name="ref"
        value={wish.ref}
        error={errorOf('ref')}
        isRequired
        maxLength={255}
        onChange={(ref) => change({ ref })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Down from"
          name="from"
          type="datetime-local"
          hint="In your own time zone."
          value={wish.from}
          error={errorOf('from')}
          isRequired
          onChange={(from) => change({ from })}
        />
        <Field
          label="Up again at"
          name="until"
          type="datetime-local"
          hint="Left empty: it goes on."
          value={wish.until}
          error={errorOf('until')}
          onChange={(until) => change({ until })}
        />
      </div>
      <Field
        label="What happened"
        name="reason"
        isLong
        value={wish.reason}
        error={errorOf('reason')}
        isRequired
        maxLength={200}
        onChange={(reason) => change({ reason })}
      />
      <ProblemBanner problem={unplaced(preview.error, (field) => PLACES.includes(fieldOf(field)))} />
      <div className="flex justify-end">
        <Button type="submit" isBusy={preview.isPending}>
          {preview.isPending ? 'Adding up…' : 'Preview'}
        </Button>
      </div>
    </Form>
  );
}
