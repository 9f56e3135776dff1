/** An answer for people: a list as a table, a thing as its fields, then a table for each list in it. What is nested deeper is left to `--json`. */
export function formatAnswer(value: unknown): string {
  if (!isRecord(value)) return 'done\n';
  if (Array.isArray(value['items'])) return formatList(value['items'], value['next_cursor']);
  return formatFields(value);
}

function formatList(items: readonly unknown[], nextCursor: unknown): string {
  if (items.length === 0) return 'nothing found\n';
  const more = typeof nextCursor === 'string' ? `\nmore with --cursor ${nextCursor}\n` : '';
  return `${formatTable(items.filter(isRecord))}${more}`;
}

function formatTable(records: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(records[0] ?? {}).filter((name) => records.some((record) => isPlain(record[name])));
  return align([names, ...records.map((record) => names.map((name) => textOf(record[name])))]);
}

function formatFields(record: Readonly<Record<string, unknown>>): string {
  const rows: string[][] = [];
  const tables: string[] = [];
  for (const [name, member] of Object.entries(record)) {
    if (Array.isArray(member) && member.length > 0 && member.every(isRecord))
      tables.push(`\n${name}\n\n${formatTable(member)}`);
    else if (Array.isArray(member) && member.length === 0) rows.push([name, 'none']);
    else if (isRecord(member))
      for (const [inner, one] of Object.entries(member)) rows.push([`${name}.${inner}`, textOf(one)]);
    else rows.push([name, textOf(member)]);
  }
  return `${align(rows)}${tables.join('')}`.replace(/^\n/, '');
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
