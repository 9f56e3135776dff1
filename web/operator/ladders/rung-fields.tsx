import type { ReactElement } from 'react';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import type { RungError, RungWish } from './wish.ts';
import { newRung } from './wish.ts';

const RUNGS_MAX = 20;

interface RungFieldsProps {
  readonly rungs: readonly RungWish[];
  readonly errors: readonly RungError[];
  readonly onChange: (rungs: readonly RungWish[]) => void;
}

/** Rows of days and multipliers that can be added and taken away. */
export function RungFields({ rungs, errors, onChange }: RungFieldsProps): ReactElement {
  const set = (id: string, part: Partial<RungWish>): void =>
    onChange(rungs.map((rung) => (rung.id === id ? { ...rung, ...part } : rung)));
  return (
    <fieldset className="space-y-3">
      <legend className="text-sm font-semibold">Rungs</legend>
      {rungs.length === 0 && <p className="text-sm text-soft">None: everybody pays the list price.</p>}
      {rungs.map((rung, index) => (
        <div key={rung.id} className="grid grid-cols-2 gap-3 rounded-xl bg-sunken p-3">
          <Field
            label="After days"
            name={`days-${index}`}
            inputMode="numeric"
            value={rung.days}
            error={errors[index]?.days}
            isRequired
            maxLength={4}
            onChange={(days) => set(rung.id, { days })}
          />
          <Field
            label="Multiplier"
            name={`multiplier-${index}`}
            inputMode="decimal"
            placeholder="0.5"
            value={rung.multiplier}
            error={errors[index]?.multiplier}
            isRequired
            maxLength={6}
            onChange={(multiplier) => set(rung.id, { multiplier })}
          />
          <div className="col-span-2 flex justify-end">
            <Button
              look="plain"
              size="small"
              label={`Remove rung ${index + 1}`}
              onPress={() => onChange(rungs.filter(({ id }) => id !== rung.id))}
            >
              Remove
            </Button>
          </div>
        </div>
      ))}
      {rungs.length < RUNGS_MAX && (
        <Button look="quiet" size="small" onPress={() => onChange([...rungs, newRung()])}>
          Add a rung
        </Button>
      )}
    </fieldset>
  );
}
