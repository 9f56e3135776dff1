import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import type { Problem } from '../api.ts';
import { get } from '../api.ts';
import type { Page } from '../surface.ts';
import { ProblemBanner } from './banner.tsx';
import { Button } from './button.tsx';
import { Loading } from './page.tsx';
import { Table } from './table.tsx';
import type { Column } from './table.tsx';

interface ListProps<T> {
  readonly what: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly empty: ReactNode;
  /** What the button for the next page says: "Show older". */
  readonly more?: string;
  /** Asked again this often while something is on its way. */
  readonly refreshMs?: number | false;
}

const PAGE_ROWS = 25;

/** A list of records from the server as a table: loading, failing, empty, and further pages on demand. */
export function List<T>(props: ListProps<T>): ReactElement {
  const list = useInfiniteQuery<Page<T>, Problem, readonly T[], readonly unknown[], string | undefined>({
    queryKey: [props.path, props.query ?? {}],
    queryFn: ({ pageParam, signal }) =>
      get<Page<T>>(props.path, { query: { ...props.query, limit: PAGE_ROWS, cursor: pageParam }, signal }),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: (pages) => pages.pages.flatMap((page) => page.items),
    refetchInterval: props.refreshMs ?? false,
    placeholderData: (last) => last,
  });
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
