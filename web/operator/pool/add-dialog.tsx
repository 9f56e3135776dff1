import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../../api.ts';
import { post, unplaced } from '../../api.ts';
import type { Machine, Page } from '../../surface.ts';
import { Banner, ProblemBanner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Checkbox } from '../../ui/select.tsx';
import { useToast } from '../../ui/toast.tsx';
import { readMachines, refusedText, type MachineWish } from './wish.ts';

/** Adds machines of one size, one a line. */
export function AddDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [wish, setWish] = useState({ lines: '', size: 'small', cleansItself: false });
  const [missing, setMissing] = useState<{ readonly lines?: string; readonly size?: string } | null>(null);
  const queries = useQueryClient();
  const say = useToast();
  const add = useMutation<Page<Machine>, Problem, readonly MachineWish[]>({
    mutationFn: (machines) => post<Page<Machine>>('/v1/machines', { machines }),
    onSuccess: async ({ items }) => {
      say(items.length === 1 ? 'One machine is added.' : `${items.length} machines are added.`);
      onClose();
      await queries.invalidateQueries();
    },
  });
  const change = (part: Partial<typeof wish>): void => {
    setWish({ ...wish, ...part });
    setMissing(null);
    add.reset();
  };
  const submit = (): void => {
    if (add.isPending) return;
    const size = wish.size.trim();
    const read = readMachines(wish.lines, { size, cleansItself: wish.cleansItself });
    if ('machines' in read && size !== '') add.mutate(read.machines);
    else
      setMissing({
        ...('error' in read && { lines: read.error }),
        ...(size === '' && { size: 'Enter a size that plans have, for example small.' }),
      });
  };
  return (
    <Dialog title="Add machines" isWide onClose={onClose}>
      <Form refusal={missing ?? add.error} onSubmit={submit}>
        <Field
          label="Machines, a line each"
          name="machines"
          isLong
          hint="Its name, how its user reaches it, and labels if you like: rack-7 198.51.100.7:2207 room=b"
          placeholder="rack-7 198.51.100.7:2207"
          value={wish.lines}
          error={missing?.lines ?? (add.error === null ? null : refusedText(add.error.fields))}
          isRequired
          onChange={(lines) => change({ lines })}
        />
        <Field
          label="Their size"
          name="size"
          hint="As the plans call it."
          value={wish.size}
          error={missing?.size}
          isRequired
          maxLength={32}
          onChange={(size) => change({ size })}
        />
        <Checkbox
          label="They wipe themselves when they are given back"
          isOn={wish.cleansItself}
          onChange={(cleansItself) => change({ cleansItself })}
        />
        <Banner tone="warn">They must be clean: the next VM of their size is on one of them.</Banner>
        <ProblemBanner problem={unplaced(add.error, (field) => field.startsWith('machines/'))} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Not now
          </Button>
          <Button type="submit" isBusy={add.isPending}>
            Add them
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
