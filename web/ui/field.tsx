import type { ReactElement, ReactNode } from 'react';
import { useId } from 'react';
import { cx } from './class-names.ts';

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  /** What to change, as a sentence; announced when it appears. */
  readonly error?: string | null | undefined;
  readonly prefix?: string;
  readonly type?: 'text' | 'password' | 'search' | 'datetime-local' | 'email' | 'url';
  readonly inputMode?: 'text' | 'decimal' | 'numeric';
  readonly autoComplete?: string;
  readonly placeholder?: string;
  readonly isRequired?: boolean;
  readonly isLong?: boolean;
  readonly maxLength?: number;
  /** Offered while one types; anything else may be written as well. */
  readonly suggestions?: readonly string[];
}

const BOX = 'w-full bg-transparent px-3 py-2.5 outline-none placeholder:text-soft';

export function Field(props: FieldProps): ReactElement {
  const id = useId();
  const shared = {
    id,
    name: props.name,
    value: props.value,
    placeholder: props.placeholder,
    maxLength: props.maxLength,
    'aria-required': props.isRequired,
    'aria-invalid': props.error ? true : undefined,
    'aria-describedby': cx(props.hint !== undefined && `${id}-hint`, props.error && `${id}-error`) || undefined,
  };
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {props.label}
      </label>
      <div
        className={cx(
          'flex items-center rounded-lg border bg-surface focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent',
          props.error ? 'border-bad' : 'border-edge',
        )}
      >
        {props.prefix !== undefined && (
          <span aria-hidden="true" className="pl-3 text-soft">
            {props.prefix}
          </span>
        )}
        {props.isLong ? (
          <textarea {...shared} rows={3} className={BOX} onChange={(event) => props.onChange(event.target.value)} />
        ) : (
          <input
            {...shared}
            type={props.type ?? 'text'}
            inputMode={props.inputMode}
            autoComplete={props.autoComplete ?? 'off'}
            list={props.suggestions === undefined ? undefined : `${id}-suggestions`}
            className={cx(BOX, props.inputMode !== undefined && props.inputMode !== 'text' && 'amount')}
            onChange={(event) => props.onChange(event.target.value)}
          />
        )}
      </div>
      {props.suggestions !== undefined && (
        <datalist id={`${id}-suggestions`}>
          {props.suggestions.map((text) => (
            <option key={text} value={text}>
              {text}
            </option>
          ))}
        </datalist>
      )}
      {props.hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1.5 text-sm text-soft">
          {props.hint}
        </p>
      )}
      <p id={`${id}-error`} aria-live="polite" className={cx('text-sm text-bad', props.error && 'mt-1.5')}>
        {props.error}
      </p>
    </div>
  );
}
