import { useInfiniteQuery, type UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import type { Problem } from '../api.ts';
import { get } from '../api.ts';
import type { Page } from '../surface.ts';
import { ProblemBanner } from './banner.tsx';
import { Button } from './button.tsx';
import { Loading } from './page.tsx';
import { Table } from './table.tsx';
import type { Column } from './table.tsx';

interface Asked<T> {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Asked again this often while something is on its way; may depend on what is there. */
  readonly refreshMs?: number | false | ((rows: readonly T[]) => number | false);
  /** False: not asked at all. */
  readonly isOn?: boolean;
}

interface Shown<T> {
  readonly what: string;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly empty: ReactNode;
  /** What the button for the next page says: "Show older". */
  readonly more?: string;
}

const PAGE_ROWS = 25;

export type Rows<T> = UseInfiniteQueryResult<readonly T[], Problem>;

/** The records of a list, page by page; asked for once, however many parts of a page look at them. */
export function useRows<T>({ path, query, refreshMs = false, isOn = true }: Asked<T>): Rows<T> {
  return useInfiniteQuery<Page<T>, Problem, readonly T[], readonly unknown[], string | undefined>({
    queryKey: [path, query ?? {}],
    queryFn: ({ pageParam, signal }) =>
      get<Page<T>>(path, { query: { ...query, limit: PAGE_ROWS, cursor: pageParam }, signal }),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: rowsOf,
    enabled: isOn,
    refetchInterval:
      typeof refreshMs === 'function' ? ({ state }) => refreshMs(state.data ? rowsOf(state.data) : []) : refreshMs,
    placeholderData: (last) => last,
  });
}

const rowsOf = <T,>({ pages }: { readonly pages: readonly Page<T>[] }): readonly T[] =>
  pages.flatMap((page) => page.items);

/** A list of records from the server as a table: loading, failing, empty, and further pages on demand. */
export function List<T>(props: Asked<T> & Shown<T>): ReactElement {
  return <RowTable {...props} list={useRows(props)} />;
}

/** The same of rows that the page has asked for already. */
export function RowTable<T>({ list, ...props }: Shown<T> & { readonly list: Rows<T> }): ReactElement {
  if (list.isPending) return <Loading what={props.what} />;
  if (list.error && !list.data) {
    return (
      <div className="p-4">
        <ProblemBanner problem={list.error} retry={() => void list.refetch()} />
      </div>
    );
  }
  const rows = list.data ?? [];
  if (rows.length === 0) return <>{props.empty}</>;
  return (
    <>
      <Table caption={props.what} columns={props.columns} rows={rows} keyOf={props.keyOf} />
      {list.error && (
        <div className="p-4">
          <ProblemBanner problem={list.error} retry={() => void list.fetchNextPage()} />
        </div>
      )}
      {list.hasNextPage && (
        <div className="border-t border-line p-3 text-center">
          <Button look="plain" size="small" isBusy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
            {props.more ?? 'Show older'}
          </Button>
        </div>
      )}
      <output className="sr-only">
        {rows.length} rows of {props.what} shown
      </output>
    </>
  );
}
