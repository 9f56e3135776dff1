import { equal, eventually, holds, type Smoke, type SmokeAnswer } from './suite.ts';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

export type Item = Record<string, unknown>;
export const itemsOf = ({ json }: SmokeAnswer): Item[] => json['items'] as Item[];
export const key = () => ({ 'idempotency-key': `smoke-${crypto.randomUUID()}` });
export const refusalOf = ({ status, json }: SmokeAnswer): unknown[] => [status, json['code']];
export const msOf = (instant: unknown): number => Date.parse(String(instant));

/** Names of this run, so that no other run and no person takes its plans and machines. */
export function nameRun(smoke: Smoke): void {
  smoke.keep('run', crypto.randomUUID().slice(0, 13));
}
export const planOf = (smoke: Smoke, name: string): string => `smoke-${smoke.recall('run')}-${name}`;
export const sizeOf = (smoke: Smoke): string => `smoke-${smoke.recall('run')}`;

/** A plan of one day, with VMs of a size that nobody else has. */
export async function offerPlan(smoke: Smoke, name: string, vms: number, price: string): Promise<void> {
  const code = planOf(smoke, name);
  const body = { code, name: `Smoke: ${vms} VMs`, price, period_count: 1, vm_count: vms, vm_size: sizeOf(smoke) };
  const made = await smoke.request('/v1/plans', { body });
  equal(made.status, 201, `status of POST /v1/plans, which answered ${made.text}`);
}

export async function withdrawPlans(smoke: Smoke, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const gone = await smoke.request(`/v1/plans/${planOf(smoke, name)}/withdraw`, { body: {} });
    equal(gone.status, 200, `status of withdrawing ${name}`);
  }
}

/** A wallet of a new user, its sid kept under `name`. */
export async function openRenter(smoke: Smoke, name: string, cents: number): Promise<string> {
  const { walletSid, userSid } = await smoke.openWallet(`Smoke: ${name}`);
  smoke.keep(name, walletSid);
  smoke.keep(`user of ${name}`, userSid);
  if (cents > 0) await setBalance(smoke, name, cents);
  return walletSid;
}

export async function setBalance(smoke: Smoke, name: string, cents: number): Promise<void> {
  const body = { sid: smoke.recall(name), balance_cents: cents, reason: 'smoke' };
  equal((await smoke.request('/admin/balance-adjust', { body })).status, 200, 'status of /admin/balance-adjust');
}

export const buy = (smoke: Smoke, name: string, plan: string, more: object = {}, headers = key()) =>
  smoke.request('/plan/buy', { body: { sid: smoke.recall(name), plan: planOf(smoke, plan), ...more }, headers });

/** Buys, and keeps the subscription under `subscription of <name>`. */
export async function bought(smoke: Smoke, name: string, plan: string, more: object = {}): Promise<Item> {
  const answer = await buy(smoke, name, plan, more);
  equal(answer.status, 201, `status of POST /plan/buy, which answered ${answer.text}`);
  const subscription = answer.json['subscription'] as Item;
  smoke.keep(`subscription of ${name}`, subscription['sid']);
  return subscription;
}

export async function subscription(smoke: Smoke, name: string): Promise<Item> {
  const answer = await smoke.request(`/v1/subscriptions/${smoke.recall(`subscription of ${name}`)}`);
  equal(answer.status, 200, 'status of GET /v1/subscriptions/{sid}');
  return answer.json;
}

export const balance = async (smoke: Smoke, name: string): Promise<unknown> =>
  (await smoke.billing(smoke.recall(name)))['credit_balance'];

export async function addMachine(smoke: Smoke, name: string, more: object = {}): Promise<void> {
  const machine = { host: 'smoke', address: `${name}.${sizeOf(smoke)}.example.org`, size: sizeOf(smoke), ...more };
  const added = await smoke.request('/v1/machines', { body: { machines: [machine] } });
  equal(added.status, 201, `status of POST /v1/machines, which answered ${added.text}`);
  smoke.keep(`machine ${name}`, itemsOf(added)[0]?.['sid']);
}

export const machine = async (smoke: Smoke, name: string): Promise<Item> =>
  (await smoke.request(`/v1/machines/${smoke.recall(`machine ${name}`)}`)).json;

export const confirmClean = (smoke: Smoke, name: string): Promise<SmokeAnswer> =>
  smoke.request(`/v1/machines/${smoke.recall(`machine ${name}`)}/confirm-clean`, { body: {} });

/** Asks for a VM that nobody can come into. */
export const requestVm = (smoke: Smoke, name: string, headers = key()): Promise<SmokeAnswer> =>
  smoke.request('/v1/allocations', {
    body: { wallet_sid: smoke.recall(name), name: 'smoke', ssh_key_sids: [] },
    headers,
  });

/** The same, and it is there; kept under `vm of <name>`. */
export async function allocated(smoke: Smoke, name: string): Promise<Item> {
  const answer = await requestVm(smoke, name);
  equal([answer.status, answer.json['state']], [201, 'active'], `status and state (${answer.text})`);
  smoke.keep(`vm of ${name}`, answer.json['sid']);
  return answer.json;
}

export const vm = async (smoke: Smoke, name: string): Promise<Item> =>
  (await smoke.request(`/v1/allocations/${smoke.recall(`vm of ${name}`)}`)).json;

export interface Counts {
  readonly examined: number;
  readonly expired: number;
  readonly released: number;
  readonly already_released: number;
  readonly errors: number;
}

export async function autoRelease(smoke: Smoke): Promise<Counts> {
  const answer = await smoke.request('/admin/auto-release-now', { body: {} });
  equal(answer.status, 200, `status of POST /admin/auto-release-now, which answered ${answer.text}`);
  return answer.json as unknown as Counts;
}

/** Moves the clock of a sandbox to an instant, and waits until it is there. */
export async function moveClockTo(smoke: Smoke, ms: number): Promise<void> {
  const moved = await smoke.request('/v1/clock/advance', { body: { to: new Date(ms).toISOString() } });
  equal(moved.status, 200, `status of POST /v1/clock/advance, which answered ${moved.text}`);
  const arrived = await eventually(
    'the clock is there',
    () => smoke.readClock(),
    ({ json }) => json['goal'] === null,
  );
  holds(msOf(arrived.json['now']) >= ms, `the clock stands at ${String(arrived.json['now'])}`);
}

/** Takes the machines out of the pool that the suite has put in, whatever is on them. */
export async function removeMachines(smoke: Smoke, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if ((await machine(smoke, name))['state'] === 'cleaning') await confirmClean(smoke, name);
    const removed = await smoke.request(`/v1/machines/${smoke.recall(`machine ${name}`)}/remove`, { body: {} });
    equal(removed.status, 200, `status of removing the machine ${name} (${removed.text})`);
  }
}
