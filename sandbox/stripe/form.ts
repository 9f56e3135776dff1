/** A decoded form: texts, lists and maps of them. Maps have no prototype, so that no name in a form is special. */
export type FormValue = string | FormValue[] | FormMap;
export interface FormMap {
  [name: string]: FormValue;
}

const DEPTH_MAX = 10;

/**
 * Decodes Stripe's bracket notation: `line_items[0][price_data][currency]=usd`, `expand[]=a`, `created[gte]=1`.
 *
 * Shape: null when the text contradicts itself (`a=1&a[b]=2`), is deeper than ten levels or has broken brackets.
 */
export function decodeForm(text: string): FormMap | null {
  const root = emptyMap();
  for (const [name, value] of new URLSearchParams(text)) {
    const path = splitName(name);
    if (path === null || !put(root, path, value)) return null;
  }
  return mapToLists(root);
}

const emptyMap = (): FormMap => Object.create(null) as FormMap;

export const isMap = (value: FormValue | undefined): value is FormMap =>
  typeof value === 'object' && !Array.isArray(value);

function splitName(name: string): string[] | null {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) return null;
  const [, head = '', tail = ''] = match;
  const path = [head, ...Array.from(tail.matchAll(/\[([^[\]]*)\]/g), (part) => part[1] ?? '')];
  return path.length <= DEPTH_MAX ? path : null;
}

/** `[]` takes the next free number. False: the place is taken by something else. */
function put(root: FormMap, path: readonly string[], value: string): boolean {
  let map = root;
  for (const [depth, name] of path.entries()) {
    const key = name === '' ? String(Object.keys(map).length) : name;
    if (depth === path.length - 1) {
      if (key in map) return false;
      map[key] = value;
      return true;
    }
    const next = (map[key] ??= emptyMap());
    if (!isMap(next)) return false;
    map = next;
  }
  return false;
}

function mapToLists(map: FormMap): FormMap {
  for (const [key, value] of Object.entries(map)) if (isMap(value)) map[key] = toListIfNumbered(mapToLists(value));
  return map;
}

function toListIfNumbered(map: FormMap): FormValue {
  const keys = Object.keys(map);
  if (keys.length === 0 || !keys.every((key, index) => key === String(index))) return map;
  return Object.values(map);
}

/** One text for equal forms, whatever the order of their fields; tells a replay from another request. */
export function canonicalForm(value: FormValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalForm).join(',')}]`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalForm(inner)}`).join(',')}}`;
}
