import {
  addMachine,
  allocated,
  autoRelease,
  bought,
  buy,
  confirmClean,
  itemsOf,
  key,
  machine,
  nameRun,
  offerPlan,
  openRenter,
  refusalOf,
  removeMachines,
  requestVm,
  sizeOf,
  subscription,
  vm,
  withdrawPlans,
  type Item,
} from './renting-steps.ts';
import { equal, eventually, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

/** Nobody has the private half of it. */
const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG1lZ9Kkk3Yk8cCVyc0mHv8Oj8vJ3bT4sIuWq1mO6d2f smoke@nowhere';

const countsOf = async (smoke: Smoke): Promise<unknown[]> => {
  const counts = itemsOf(await smoke.request('/v1/machine-counts')).find(({ size }) => size === sizeOf(smoke));
  return [counts?.['free'], counts?.['allocated'], counts?.['cleaning'], counts?.['draining']];
};

const quotaUsed = async (smoke: Smoke): Promise<unknown> =>
  (await smoke.billing(smoke.recall('renter')))['vm_quota_used'];

const asUser = (smoke: Smoke, path: string, body?: object, headers: object = {}): Promise<SmokeAnswer> =>
  smoke.request(path, {
    ...(body === undefined ? {} : { body }),
    isOperator: false,
    headers: { authorization: `Bearer ${smoke.recall('token')}`, ...headers },
  });

const give = (smoke: Smoke, name: string): Promise<SmokeAnswer> =>
  smoke.request(`/v1/allocations/${smoke.recall(`vm of ${name}`)}/release`, { body: {} });

/** VMs of a plan from the operator's own pool: given, counted, given back and given again. */
export const allocations: readonly SmokeCheck[] = [
  {
    name: 'two machines come into the pool, and are free',
    async run(smoke) {
      nameRun(smoke);
      await addMachine(smoke, 'one');
      await addMachine(smoke, 'two');
      equal(await countsOf(smoke), [2, 0, 0, 0], 'free, allocated, cleaning and draining');
    },
  },
  {
    name: 'an address is in the pool once',
    async run(smoke) {
      const body = { machines: [{ host: 'smoke', address: (await machine(smoke, 'one'))['address'], size: 'smoke' }] };
      equal(refusalOf(await smoke.request('/v1/machines', { body })), [409, 'state_conflict'], 'the refusal');
    },
  },
  {
    name: 'a VM takes somebody, and a plan',
    async run(smoke) {
      const body = { name: 'smoke', ssh_key_sids: [] };
      const anonymous = await smoke.request('/v1/allocations', { body, isOperator: false, headers: key() });
      equal(anonymous.status, 401, 'status for nobody');
      await openRenter(smoke, 'renter', 1_000);
      equal(refusalOf(await requestVm(smoke, 'renter')), [409, 'no_plan'], 'the refusal without a plan');
    },
  },
  {
    name: 'with a plan there is one, reached at the machine, for as long as the plan is paid',
    async run(smoke) {
      await offerPlan(smoke, 'plan', 2, '3.00');
      const { period_ends_at: until } = await bought(smoke, 'renter', 'plan');
      const given = await allocated(smoke, 'renter');
      equal(given['expires_at'], until, 'expires_at');
      const one = await machine(smoke, 'one');
      equal([given['address'], given['host']], [one['address'], one['host']], 'how it is reached');
      equal((one['allocation'] as Item)['sid'], given['sid'], 'the VM on the machine');
      equal([await quotaUsed(smoke), await countsOf(smoke)], [1, [1, 1, 0, 0]], 'quota and pool');
    },
  },
  {
    name: 'asked for again with the same key it is the same VM',
    async run(smoke) {
      const headers = key();
      const first = await requestVm(smoke, 'renter', headers);
      const again = await requestVm(smoke, 'renter', headers);
      equal([first.status, again.text], [201, first.text], 'the second answer');
      smoke.keep('vm of second', first.json['sid']);
      equal(await quotaUsed(smoke), 2, 'the quota that is used');
    },
  },
  {
    name: 'the plan has no third',
    async run(smoke) {
      equal(refusalOf(await requestVm(smoke, 'renter')), [409, 'quota_reached'], 'the refusal');
    },
  },
  {
    name: 'nobody else sees it or gives it back',
    async run(smoke) {
      const signedIn = await smoke.request('/login/sandbox', { body: { name: `Smoke: ${sizeOf(smoke)}` } });
      smoke.keep('token', signedIn.json['token']);
      smoke.keep('guest', signedIn.json['wallet_sid']);
      const path = `/v1/allocations/${smoke.recall('vm of renter')}`;
      equal(refusalOf(await asUser(smoke, path)), [404, 'not_found'], 'what they are shown');
      equal(refusalOf(await asUser(smoke, `${path}/release`, {})), [404, 'not_found'], 'what they give back');
      equal((await vm(smoke, 'renter'))['state'], 'active', 'the state after it');
    },
  },
  {
    name: 'given back it goes, and its place does not come back before the machine is clean',
    async run(smoke) {
      equal((await give(smoke, 'renter')).json['state'], 'releasing', 'the state');
      equal((await give(smoke, 'renter')).json['state'], 'releasing', 'the state when it is sent again');
      equal([await quotaUsed(smoke), await countsOf(smoke)], [2, [0, 1, 1, 0]], 'quota and pool');
      equal(refusalOf(await requestVm(smoke, 'renter')), [409, 'quota_reached'], 'the refusal meanwhile');
    },
  },
  {
    name: 'what nobody has confirmed clean is nobody’s',
    async run(smoke) {
      const body = { sid: smoke.recall('guest'), balance_cents: 1_000, reason: 'smoke' };
      await smoke.request('/admin/balance-adjust', { body });
      equal((await buy(smoke, 'guest', 'plan')).status, 201, 'status of the purchase');
      equal(refusalOf(await requestVm(smoke, 'guest')), [409, 'pool_empty'], 'the refusal');
    },
  },
  {
    name: 'confirmed clean the machine is free, the VM released, and its place back',
    async run(smoke) {
      equal((await confirmClean(smoke, 'one')).json['state'], 'free', 'the state of the machine');
      const gone = await vm(smoke, 'renter');
      equal([gone['state'], gone['release_reason']], ['released', 'operator'], 'the VM');
      equal([await quotaUsed(smoke), await countsOf(smoke)], [1, [1, 1, 0, 0]], 'quota and pool');
    },
  },
  {
    name: 'a draining machine is given to nobody',
    async run(smoke) {
      const path = `/v1/machines/${smoke.recall('machine one')}`;
      await smoke.request(path, { method: 'PATCH', body: { is_draining: true } });
      equal(refusalOf(await requestVm(smoke, 'guest')), [409, 'pool_empty'], 'the refusal');
      await smoke.request(path, { method: 'PATCH', body: { is_draining: false } });
    },
  },
  {
    name: 'who has an SSH key takes it along',
    async run(smoke) {
      const added = await asUser(smoke, '/v1/ssh-keys', { public_key: PUBLIC_KEY });
      equal(added.status, 201, `status of POST /v1/ssh-keys (${added.text})`);
      const given = await asUser(smoke, '/v1/allocations', { name: 'smoke' }, key());
      equal([given.status, given.json['state']], [201, 'active'], `status and state (${given.text})`);
      holds(JSON.stringify(given.json['ssh_keys']).includes(PUBLIC_KEY.split(' ')[1] ?? '-'), 'the key is not on it');
      smoke.keep('vm of guest', given.json['sid']);
    },
  },
  {
    name: 'of eight who want the last machine at once one gets it',
    async run(smoke) {
      await give(smoke, 'guest');
      await confirmClean(smoke, 'one');
      const names = Array.from({ length: 8 }, (_, index) => `racer ${index}`);
      for (const name of names) {
        await openRenter(smoke, name, 500);
        await bought(smoke, name, 'plan');
      }
      const answers = await Promise.all(names.map((name) => requestVm(smoke, name)));
      equal(
        answers.map(({ status, json }) => (typeof json['code'] === 'string' ? json['code'] : `${status}`)).toSorted(),
        ['201', ...Array.from({ length: 7 }, () => 'pool_empty')],
        'the answers',
      );
      equal(await countsOf(smoke), [0, 2, 0, 0], 'the pool');
    },
  },
  {
    name: 'plans that are ended give all of it back',
    async run(smoke) {
      const listed = itemsOf(await smoke.request(`/v1/subscriptions?wallet_sid=${smoke.recall('guest')}`));
      smoke.keep('subscription of guest', listed[0]?.['sid']);
      for (const name of ['renter', 'guest', ...Array.from({ length: 8 }, (_, index) => `racer ${index}`)]) {
        const path = `/v1/subscriptions/${smoke.recall(`subscription of ${name}`)}/end`;
        equal((await smoke.request(path, { body: { reason: 'smoke' } })).status, 200, `status of the end of ${name}`);
      }
      // Strictly after the end: a run in the very millisecond of the last one leaves its VM to the next run.
      const takenBack = async (): Promise<unknown> => (await autoRelease(smoke), (await countsOf(smoke))[2]);
      await eventually('both are taken back', takenBack, (cleaning) => cleaning === 2);
      await removeMachines(smoke, ['one', 'two']);
      await withdrawPlans(smoke, ['plan']);
      equal((await subscription(smoke, 'renter'))['end_reason'], 'operator', 'why it ended');
    },
  },
];
