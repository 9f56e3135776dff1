import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, post, unplaced } from '../api.ts';
import type { ServiceClock } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { Pills } from '../ui/select.tsx';
import { instantOf } from '../ui/time.ts';
import { Time } from '../ui/time.tsx';

const PATH = '/v1/clock';
const LOOK_AGAIN_MS = 500;
const TO_INSTANT = 'to';

const DISTANCES = [
  ['1h', '1 hour'],
  ['1d', '1 day'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['365d', '1 year'],
  [TO_INSTANT, 'To a time'],
] as const;
type Distance = (typeof DISTANCES)[number][0];

/** Moves the time of a sandbox on, shows how far it has come, and says what happened meanwhile. */
export function MoveDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const queries = useQueryClient();
  const [distance, setDistance] = useState<Distance>('1d');
  const [local, setLocal] = useState('');
  const move = useMutation<ServiceClock, Problem>({
    mutationFn: () => post<ServiceClock>(`${PATH}/advance`, askedOf(distance, local)),
    // It is another time for everything that was read.
    onSettled: () => queries.invalidateQueries(),
  });
  const clock = useQuery<ServiceClock, Problem>({
    queryKey: [PATH],
    queryFn: ({ signal }) => get(PATH, { signal }),
    refetchInterval: ({ state }) => (move.isPending || state.data?.goal != null ? LOOK_AGAIN_MS : false),
  });
  const isMoving = move.isPending || clock.data?.goal != null;
  return (
    <Dialog title="Move the clock" onClose={onClose}>
      <Form refusal={move.error} onSubmit={() => move.mutate()}>
        <p className="text-sm text-soft">
          Everything that is due on the way happens at its own time: plans renew, holds expire, people are told. It
          cannot be moved back. Sessions end as time passes, except yours.
        </p>
        <Pills label="How far" value={distance} options={DISTANCES} onChange={setDistance} />
        {distance === TO_INSTANT && (
          <Field
            label="Until"
            name="to"
            type="datetime-local"
            value={local}
            error={move.error?.fields.get('to') ?? move.error?.fields.get('by')}
            onChange={setLocal}
          />
        )}
        <ProblemBanner
          problem={unplaced(move.error, (field) => distance === TO_INSTANT && ['to', 'by'].includes(field))}
        />
        {clock.data && <Progress clock={clock.data} isMoving={isMoving} />}
        <div className="flex justify-end gap-3">
          <Button look="quiet" onPress={onClose}>
            Close
          </Button>
          <Button type="submit" isBusy={isMoving}>
            {isMoving ? 'Moving…' : 'Move'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

const askedOf = (distance: Distance, local: string): Readonly<Record<string, string>> =>
  distance === TO_INSTANT ? { to: instantOf(local) ?? local } : { by: distance };

interface ProgressProps {
  readonly clock: ServiceClock;
  readonly isMoving: boolean;
}

function Progress({ clock, isMoving }: ProgressProps): ReactElement {
  const { now, goal, last_move: last } = clock;
  return (
    <output className="block space-y-2 text-sm">
      <p>
        It is <Time at={now} />
        {goal !== null && (
          <>
            , on the way to <Time at={goal} />
          </>
        )}
        .
      </p>
      {goal !== null && last !== null && (
        <progress
          aria-label="How far the clock has come"
          className="w-full accent-accent"
          max={Date.parse(goal) - Date.parse(last.from)}
          value={Date.parse(now) - Date.parse(last.from)}
        />
      )}
      {!isMoving && last !== null && (
        <>
          <p className="text-soft">
            The last move began at <Time at={last.from} /> and stopped {last.stops} times on its way.
            {last.failures > 0 && ` ${last.failures} of its works failed: the log says why.`}
          </p>
          {last.events.length > 0 && (
            <ul className="grid grid-cols-[auto_1fr] gap-x-3">
              {last.events.map(({ type, count }) => (
                <li key={type} className="contents">
                  <span className="text-right tabular-nums">{count}</span>
                  <span className="break-all text-soft">{type}</span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </output>
  );
}
