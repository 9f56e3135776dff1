import type { ReactElement, ReactNode } from 'react';
import { useId } from 'react';

interface SelectProps<T extends string> {
  readonly label: string;
  readonly name: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, title: string])[];
  readonly hint?: ReactNode;
  readonly onChange: (value: T) => void;
}

/** One of a few: the browser's own list, which every keyboard and screen reader knows. */
export function Select<T extends string>(props: SelectProps<T>): ReactElement {
  const id = useId();
  const choose = (text: string): void => {
    const chosen = props.options.find(([value]) => value === text);
    if (chosen) props.onChange(chosen[0]);
  };
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {props.label}
      </label>
      <select
        id={id}
        name={props.name}
        value={props.value}
        aria-describedby={props.hint === undefined ? undefined : `${id}-hint`}
        className="w-full rounded-lg border border-edge bg-surface px-3 py-2.5"
        onChange={(event) => choose(event.target.value)}
      >
        {props.options.map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
      {props.hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1.5 text-sm text-soft">
          {props.hint}
        </p>
      )}
    </div>
  );
}

interface CheckboxProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

export function Checkbox({ label, isOn, onChange }: CheckboxProps): ReactElement {
  return (
    <label className="flex min-h-9 items-center gap-2.5 text-sm">
      <input
        type="checkbox"
        checked={isOn}
        className="size-4 shrink-0 accent-accent"
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}

interface PillsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, title: string])[];
  readonly onChange: (value: T) => void;
}

/** One of a few, all of them in sight: filters of a page. */
export function Pills<T extends string>({ label, value, options, onChange }: PillsProps<T>): ReactElement {
  return (
    <fieldset aria-label={label} className="flex flex-wrap gap-2">
      {options.map(([option, title]) => (
        <button
          key={option}
          type="button"
          aria-pressed={option === value}
          className={`rounded-full border px-3.5 py-1.5 text-sm font-medium ${
            option === value ? 'border-accent bg-wash text-accent' : 'border-edge bg-surface hover:bg-sunken'
          }`}
          onClick={() => onChange(option)}
        >
          {title}
        </button>
      ))}
    </fieldset>
  );
}
