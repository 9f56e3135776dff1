import { equal, type Smoke, type SmokeAnswer } from './suite.ts';

const HOUR_MS = 3_600_000;
export const DESCRIPTION = 'VM "web-1" \\ Zürich — 日本 #1';

/** From the beginning of the suite, so that what is to be in one hour stays in one. */
function hoursAgo(smoke: Smoke, hours: number): string {
  const begun = smoke.kept.get('begun') ?? smoke.keep('begun', smoke.now().getTime());
  return new Date(Number(begun) - hours * HOUR_MS).toISOString();
}
export const pathOf = (smoke: Smoke, at: string): string =>
  `nodes/${smoke.recall('name')}/usage_${at.slice(0, 13).replace('T', '-')}.otoml`;

/** A record that can be made again: the first time decides when it happened. */
export function record(
  smoke: Smoke,
  key: string,
  hours: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const at = smoke.kept.get(`at ${key}`) ?? smoke.keep(`at ${key}`, hoursAgo(smoke, hours));
  return {
    idempotency_key: `${smoke.recall('run')}-${key}`,
    user_sid: smoke.recall('user'),
    applies_to: 'hero_os_hourly',
    resource_kind: 'smoke',
    quantity: '1',
    occurred_at: at,
    ...more,
  };
}

export type Item = Record<string, unknown>;
export const itemsOf = ({ json }: SmokeAnswer, name = 'items'): Item[] => json[name] as Item[];
export const outcomes = (answer: SmokeAnswer): unknown[] => itemsOf(answer).map(({ code, outcome }) => code ?? outcome);

export const asNode = (smoke: Smoke, path: string, body: unknown): Promise<SmokeAnswer> =>
  smoke.request(path, { body, isOperator: false, headers: { authorization: `Bearer ${smoke.recall('key')}` } });
export const queue = (smoke: Smoke, records: readonly unknown[]): Promise<SmokeAnswer> =>
  asNode(smoke, '/v1/usage/queue', { records });
export const report = (smoke: Smoke, records: readonly unknown[]): Promise<SmokeAnswer> =>
  asNode(smoke, '/v1/usage', { records });

/** What became of our own files: others may push at the same time. */
export async function push(smoke: Smoke): Promise<Item[]> {
  const answer = await smoke.request('/admin/push-usage-now', { body: {} });
  equal(answer.status, 200, `status of the push (${answer.text})`);
  return itemsOf(answer, 'files').filter(({ path }) => String(path).startsWith(`nodes/${smoke.recall('name')}/`));
}

/** What became of our own folder. */
export async function aggregate(smoke: Smoke, body: object = {}): Promise<Item> {
  const answer = await smoke.request('/admin/aggregate-now', { body });
  equal(answer.status, 200, `status of the aggregation (${answer.text})`);
  const folder = itemsOf(answer, 'folders').find(({ name }) => name === smoke.recall('name'));
  if (!folder) throw new Error('our folder is not among those that were looked at');
  return folder;
}

export const counts = ({ outcome, files, applied, repeated, refused }: Item): unknown[] => [
  outcome,
  files,
  applied,
  repeated,
  refused,
];
export const balance = async (smoke: Smoke): Promise<unknown> =>
  (await smoke.billing(smoke.recall('wallet')))['credit_balance'];
export const statement = async (smoke: Smoke): Promise<Item[]> =>
  itemsOf(await smoke.request(`/v1/billings/${smoke.recall('wallet')}/statement?limit=100`));
export const quarantine = async (smoke: Smoke, query = ''): Promise<Item[]> =>
  itemsOf(await smoke.request(`/v1/usage/quarantine?node_sid=${smoke.recall('node')}${query}`));
