/** One machine as the server wants it. */
export interface MachineWish {
  readonly host: string;
  readonly address: string;
  readonly size: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cleans_itself: boolean;
}

/** As many as one request takes. */
export const MACHINES_MAX = 200;

interface Same {
  readonly size: string;
  readonly cleansItself: boolean;
}

/**
 * Reads machines, one a line: its name, its address, and labels if there are some: `rack-7 198.51.100.7:2207 room=b`.
 *
 * Shape: the machines in the order of the lines with something on them, or a sentence on the first line that is wrong.
 */
export function readMachines(
  text: string,
  same: Same,
): { readonly machines: readonly MachineWish[] } | { readonly error: string } {
  const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]));
  if (lines.length === 0) return { error: 'Enter at least one machine.' };
  if (lines.length > MACHINES_MAX) return { error: `At most ${MACHINES_MAX} at once: these are ${lines.length}.` };
  const machines: MachineWish[] = [];
  for (const { line, number } of lines) {
    const [host = '', address, ...labels] = line.trim().split(/\s+/);
    if (address === undefined) return { error: `Line ${number}: write an address after the name.` };
    const pairs = labels.map((label) => label.split(/=(.*)/s));
    if (pairs.some(([name, value]) => !name || !value)) {
      return { error: `Line ${number}: write labels as name=value.` };
    }
    machines.push({
      host,
      address,
      size: same.size,
      labels: Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value])),
      cleans_itself: same.cleansItself,
    });
  }
  return { machines };
}

/** What the server said about one of them, by its place among them: "Machine 3, address: must be …". */
export function refusedText(fields: ReadonlyMap<string, string>): string | null {
  for (const [field, detail] of fields) {
    const [, index, name] = /^machines\/(\d+)\/(.+)$/.exec(field) ?? [];
    if (index !== undefined) return `Machine ${Number(index) + 1}, ${name}: ${detail}.`;
  }
  return null;
}
