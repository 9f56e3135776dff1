/** What JSON text does not have as it is, and half surrogate pairs among it: for them the long way is taken. */
// oxlint-disable-next-line no-control-regex -- JSON escapes control characters
const PLAIN = /^[ !#-[\]-~]*$/;

/** A text as JSON has it: `"…"`. Several times as fast as JSON.stringify where there is nothing to escape. */
export const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));
