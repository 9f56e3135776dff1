/** What a cell holds: a number is left as it is, a text is made safe for programs that calculate. */
export type Cell = { readonly number: string } | { readonly text: string };

/** A number as we write them; nothing that a program could take for a formula. */
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;
/** With these a spreadsheet takes what follows for a formula, the wide forms included; the apostrophe, so that taking it away again is exact. */
const LEADING = /^[=+\-@\t\r\n'＝＋－＠]/;

/**
 * One line of a CSV file, with its end (RFC 4180).
 *
 * A text that begins like a formula gets an apostrophe in front; a negative number stays a number. NUL, which no spreadsheet reads, becomes the
 * replacement character.
 */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(',')}\r\n`;

function csvCell(cell: Cell): string {
  if ('number' in cell && NUMBER.test(cell.number)) return cell.number;
  const text = ('number' in cell ? cell.number : cell.text).replaceAll('\0', '\uFFFD');
  return quoted(LEADING.test(text) ? `'${text}` : text);
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
