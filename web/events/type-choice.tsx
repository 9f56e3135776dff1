import type { ReactElement } from 'react';
import { EVENT_TYPE_NAMES, EVENT_TYPES, type EventType } from '../../src/domain/event/types.ts';
import { Checkbox } from '../ui/select.tsx';

const CHOICES = EVENT_TYPE_NAMES.filter((type) => type !== 'endpoint.test');

interface TypeChoiceProps {
  readonly types: readonly EventType[];
  readonly onChange: (types: EventType[]) => void;
}

/** What an endpoint is told of. None chosen means everything, also what comes later. */
export function TypeChoice({ types, onChange }: TypeChoiceProps): ReactElement {
  const isAll = types.length === 0;
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">It is told of</legend>
      <Checkbox
        label="everything, also what comes later"
        isOn={isAll}
        onChange={(isOn) => onChange(isOn ? [] : ['payment.credited'])}
      />
      {!isAll && (
        <div className="mt-1 max-h-56 space-y-2 overflow-y-auto rounded-lg border border-edge px-3 py-2">
          {CHOICES.map((type) => (
            <Checkbox
              key={type}
              label={`${type}: ${EVENT_TYPES[type]}`}
              isOn={types.includes(type)}
              onChange={(isOn) => onChange(isOn ? [...types, type] : types.filter((other) => other !== type))}
            />
          ))}
        </div>
      )}
    </fieldset>
  );
}
