/** An answer for people: a list as a table, a thing as its fields. What is nested is left to `--json`. */
export function formatAnswer(value: unknown): string {
  if (!isRecord(value)) return 'done\n';
  if (Array.isArray(value['items'])) return formatList(value['items'], value['next_cursor']);
  return formatFields(value);
}

function formatList(items: readonly unknown[], nextCursor: unknown): string {
  if (items.length === 0) return 'nothing found\n';
  const records = items.filter(isRecord);
  const names = Object.keys(records[0] ?? {}).filter((name) => records.some((record) => isPlain(record[name])));
  const rows = [names, ...records.map((record) => names.map((name) => textOf(record[name])))];
  const more = typeof nextCursor === 'string' ? `\nmore with --cursor ${nextCursor}\n` : '';
  return `${align(rows)}${more}`;
}

function formatFields(record: Readonly<Record<string, unknown>>): string {
  const rows: string[][] = [];
  for (const [name, member] of Object.entries(record)) {
    if (isRecord(member))
      for (const [inner, one] of Object.entries(member)) rows.push([`${name}.${inner}`, textOf(one)]);
    else rows.push([name, textOf(member)]);
  }
  return align(rows);
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const isPlain = (value: unknown): boolean => value !== null && value !== undefined && typeof value !== 'object';

/** Control characters in a name must not steer the terminal. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
