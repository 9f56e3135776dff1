/** Fields that hold money or rates. ClickPesa writes them as text in one answer and as numbers in the next. */
const EXACT: ReadonlySet<string> = new Set(['amount', 'collectedAmount', 'fee', 'rate', 'sourceAmount']);

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** `JSON.parse` that hands on the digits of a money field as they were written, never by way of a float. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  const revive: Reviver = (key, value, { source }) => (typeof value === 'number' && EXACT.has(key) ? source : value);
  // The third argument of a reviver is newer than the types of the standard library.
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}
