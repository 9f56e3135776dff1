import type { ReactElement, ReactNode } from 'react';
import { cx } from './class-names.ts';

export interface Column<T> {
  readonly title: string;
  readonly isAmount?: boolean;
  /** Left out where the screen is narrow; the fact must also be shown by another column or page. */
  readonly isExtra?: boolean;
  readonly cell: (row: T) => ReactNode;
}

interface TableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

const EDGE = 'first:pl-5 last:pr-5 sm:first:pl-6 sm:last:pr-6';

/** A table that scrolls sideways inside its own frame, by keyboard too, rather than widening the page. */
export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>): ReactElement {
  const lastShown = columns.findLast((column) => !column.isExtra);
  const place = (column: Column<T>): string =>
    cx(
      'px-3',
      column === lastShown && 'max-md:pr-5',
      EDGE,
      column.isAmount ? 'text-right' : 'text-left',
      column.isExtra && 'hidden md:table-cell',
    );
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a frame that scrolls must take focus, or a keyboard cannot scroll it
    <section aria-label={`Table of ${caption}`} tabIndex={0} className="overflow-x-auto -outline-offset-2">
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-xs text-soft">
            {columns.map((column) => (
              <th key={column.title} scope="col" className={cx(place(column), 'py-2.5 font-medium wrap-normal')}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className="border-b border-line last:border-0">
              {columns.map((column) => (
                <td key={column.title} className={cx(place(column), 'py-3 align-top wrap-break-word')}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
