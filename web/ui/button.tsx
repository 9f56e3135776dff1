import type { MouseEvent, ReactElement, ReactNode } from 'react';
import { cx } from './class-names.ts';

const LOOKS = {
  primary: 'bg-accent text-on-accent hover:bg-accent-deep',
  quiet: 'border border-edge bg-surface text-ink hover:bg-sunken',
  plain: 'text-accent hover:bg-wash',
  danger: 'border border-bad bg-bad-wash text-bad hover:bg-surface',
} as const;

export type ButtonLook = keyof typeof LOOKS;

export const buttonClass = (look: ButtonLook = 'primary', size: 'normal' | 'small' = 'normal'): string =>
  cx(
    'inline-flex items-center justify-center gap-2 rounded-lg font-medium transition-colors',
    'aria-disabled:cursor-default aria-disabled:opacity-70',
    size === 'small' ? 'min-h-8 px-3 py-1 text-sm' : 'min-h-11 px-4 py-2',
    LOOKS[look],
  );

interface ButtonProps {
  readonly children: ReactNode;
  readonly look?: ButtonLook;
  readonly size?: 'normal' | 'small';
  readonly type?: 'button' | 'submit';
  /** Says that the work is under way. The button keeps its focus but does nothing. */
  readonly isBusy?: boolean;
  readonly isWide?: boolean;
  readonly label?: string;
  readonly onPress?: () => void;
}

export function Button(props: ButtonProps): ReactElement {
  const press = (event: MouseEvent): void => {
    if (props.isBusy) event.preventDefault();
    else props.onPress?.();
  };
  return (
    <button
      type={props.type ?? 'button'}
      aria-disabled={props.isBusy ? true : undefined}
      aria-label={props.label}
      className={cx(buttonClass(props.look, props.size), props.isWide && 'w-full')}
      onClick={press}
    >
      {props.isBusy && <Spinner />}
      {props.children}
    </button>
  );
}

export function Spinner(): ReactElement {
  return (
    <span
      aria-hidden="true"
      className="size-4 shrink-0 rounded-full border-2 border-current border-r-transparent motion-safe:animate-spin"
    />
  );
}
