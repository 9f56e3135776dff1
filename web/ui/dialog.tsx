import type { ReactElement, ReactNode } from 'react';
import { useId, useLayoutEffect, useRef } from 'react';
import { cx } from './class-names.ts';
import { Icon } from './icon.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Wider, for what has columns. */
  readonly isWide?: boolean;
  /** Only its own buttons close it: it shows something that cannot be shown again. */
  readonly isSticky?: boolean;
  readonly children: ReactNode;
}

/**
 * A modal dialog on the browser's own element, which traps focus, closes on Escape and gives the focus back. (Libraries
 * lock scrolling with an inline style sheet, which our content security policy refuses.) Shown while it is mounted.
 */
export function Dialog({ title, onClose, isWide = false, isSticky = false, children }: DialogProps): ReactElement {
  const frame = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Layout effect: the dialog must close while it is still in the page, or the browser has nothing to give the focus back from.
  useLayoutEffect(() => {
    const dialog = frame.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={frame}
      aria-labelledby={id}
      className={cx('card m-auto w-[calc(100%-2rem)] p-5 shadow-2xl sm:p-6', isWide ? 'max-w-2xl' : 'max-w-md')}
      onCancel={(event) => {
        event.preventDefault();
        if (!isSticky) onClose();
      }}
    >
      <div className="mb-4 flex items-start justify-between gap-4">
        <h2 id={id} className="text-lg font-semibold">
          {title}
        </h2>
        {!isSticky && (
          <button
            type="button"
            aria-label="Close"
            className="-m-2 rounded-lg p-2 text-soft hover:bg-sunken"
            onClick={onClose}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      {children}
    </dialog>
  );
}
