/** As long as the address of a page gets. */
const PATH_CHARACTERS_MAX = 200;
const SEGMENT = '[A-Za-z0-9_-]{1,64}';

/**
 * Where somebody goes after the sign-in: the page they asked for if it is one of ours, else the first page.
 *
 * `pages` are our own: `/wallet`, `/payments/:sid`. What was asked for is compared with them as it stands, letter by letter: nothing is
 * decoded, resolved or cut off first, so that no browser can read something else in it than we do. Queries and fragments are no part of it.
 */
export function safeReturnPath(asked: unknown, pages: readonly string[]): string {
  if (typeof asked !== 'string' || asked.length > PATH_CHARACTERS_MAX) return '/';
  return pages.some((page) => patternOf(page).test(asked)) ? asked : '/';
}

const patternOf = (page: string): RegExp => new RegExp(`^${page.replaceAll(/:[a-z]+/g, SEGMENT)}$`);
