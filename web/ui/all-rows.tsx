import type { ReactElement } from 'react';
import { useState } from 'react';
import { Button } from './button.tsx';
import type { Column } from './table.tsx';
import { Table } from './table.tsx';

interface AllRowsProps<T> {
  readonly what: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

const STEP_ROWS = 25;

/** Rows that are all here already: the first ones, and more on demand, so that a thousand of them do not bury the page. */
export function AllRows<T>({ what, columns, rows, keyOf }: AllRowsProps<T>): ReactElement {
  const [count, setCount] = useState(STEP_ROWS);
  const rest = rows.length - count;
  return (
    <>
      <Table caption={what} columns={columns} rows={rows.slice(0, count)} keyOf={keyOf} />
      {rest > 0 && (
        <div className="flex justify-center gap-2 border-t border-line p-3">
          <Button look="plain" size="small" onPress={() => setCount(count + 4 * STEP_ROWS)}>
            {rest <= 4 * STEP_ROWS ? `Show the other ${rest}` : `Show ${4 * STEP_ROWS} more of ${rest}`}
          </Button>
        </div>
      )}
      <output className="sr-only">
        {Math.min(count, rows.length)} of {rows.length} rows of {what} shown
      </output>
    </>
  );
}
