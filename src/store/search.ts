/**
 * A search text as an `ilike` pattern that finds it anywhere. `%`, `_` and `\` in it stand for themselves: unescaped, a search for
 * `%%%%%` makes the database try every split of every row.
 */
export function likePattern(search: string | null): string | null {
  return search === null ? null : `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
