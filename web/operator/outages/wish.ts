import type { Outage } from '../../surface.ts';
import { instantOf } from '../../ui/time.ts';

/** What somebody has written into the form. */
export interface Wish {
  readonly subject: Outage['subject'];
  readonly ref: string;
  readonly from: string;
  readonly until: string;
  readonly reason: string;
}

/** The same as the server wants it. */
export type Body = Readonly<Record<string, string>>;

/** Under which name the server takes what was down. */
const FIELDS = {
  node: 'node_sid',
  machine: 'machine_sid',
  host: 'host',
  allocation: 'allocation_sid',
} as const satisfies Record<Wish['subject'], string>;

/** The field of the form that a field of the server is. */
export const fieldOf = (name: string): string => (Object.values(FIELDS).some((field) => field === name) ? 'ref' : name);

export const PLACES = ['ref', 'from', 'until', 'reason'];

/** What the server would refuse anyway, said in the words of this form. */
export function readWish(wish: Wish): { readonly body: Body } | { readonly errors: Readonly<Record<string, string>> } {
  const [ref, reason] = [wish.ref.trim(), wish.reason.trim()];
  const [from, until] = [instantOf(wish.from), instantOf(wish.until)];
  const isUpsideDown = from !== null && until !== null && from >= until;
  const errors = {
    ...(ref === '' && { ref: wish.subject === 'host' ? 'Enter the name of the host.' : 'Enter its number.' }),
    ...(from === null && { from: 'Choose when it went down.' }),
    ...(isUpsideDown && { until: 'Choose a time after the first one.' }),
    ...(reason === '' && { reason: 'Say what happened.' }),
  };
  if (from === null || Object.keys(errors).length > 0) return { errors };
  return { body: { [FIELDS[wish.subject]]: ref, from, reason, ...(until !== null && { until }) } };
}
