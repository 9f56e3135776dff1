import {
  addMachine,
  allocated,
  autoRelease,
  bought,
  confirmClean,
  DAY_MS,
  itemsOf,
  machine,
  MINUTE_MS,
  moveClockTo,
  msOf,
  nameRun,
  offerPlan,
  openRenter,
  planOf,
  refusalOf,
  removeMachines,
  requestVm,
  setBalance,
  subscription,
  vm,
  withdrawPlans,
  type Counts,
  type Item,
} from './renting-steps.ts';
import { equal, eventually, holds, type Smoke, type SmokeCheck } from './suite.ts';

const MACHINES = ['one', 'two', 'three', 'four', 'five'];
/** The schedule may come first with what falls due; then somebody else's VM is tried. */
const TRIES = 4;

/** Somebody who can act for themselves. */
async function signIn(smoke: Smoke, name: string, cents: number): Promise<void> {
  const signedIn = await smoke.request('/login/sandbox', { body: { name: `Smoke: ${planOf(smoke, name)}` } });
  equal(signedIn.status, 200, 'status of POST /login/sandbox');
  smoke.keep(name, signedIn.json['wallet_sid']);
  smoke.keep(`token of ${name}`, signedIn.json['token']);
  await setBalance(smoke, name, cents);
}

/** Ends the plan of a wallet, so that its VM is due from that moment on. */
async function endPlan(smoke: Smoke, name: string): Promise<void> {
  const path = `/v1/subscriptions/${smoke.recall(`subscription of ${name}`)}/end`;
  equal((await smoke.request(path, { body: { reason: 'smoke' } })).status, 200, 'status of ending a plan');
}

/** On which machine of ours a VM is. */
async function machineOf(smoke: Smoke, name: string): Promise<string> {
  const { external_ref: sid } = await vm(smoke, name);
  const found = MACHINES.find((one) => smoke.recall(`machine ${one}`) === sid);
  if (found === undefined) throw new Error(`the VM is on ${String(sid)}, which is no machine of ours`);
  return found;
}

const keepCounts = (smoke: Smoke, name: string, counts: Counts): string => smoke.keep(name, JSON.stringify(counts));
const keptCounts = (smoke: Smoke, name: string): Counts => JSON.parse(smoke.recall(name)) as Counts;

/** What was there before belongs to others: of two runs the difference is ours. */
const grown = (before: Counts, after: Counts): unknown[] =>
  (['examined', 'expired', 'released', 'already_released', 'errors'] as const).map(
    (name) => after[name] - before[name],
  );

/** VMs go when their time is over: strictly after it, once, and to nobody else before they are clean. */
export const autoReleaseSuite: readonly SmokeCheck[] = [
  {
    name: 'the server is a sandbox, whose clock can be moved',
    async run(smoke) {
      equal((await smoke.readClock()).json['is_movable'], true, 'is_movable');
    },
  },
  {
    name: 'nobody without a right takes VMs back',
    async run(smoke) {
      const path = '/admin/auto-release-now';
      equal((await smoke.request(path, { body: {}, isOperator: false })).status, 401, 'status for nobody');
      const wrong = { 'x-hero-onboarding-admin-secret': 'not-the-secret' };
      equal(
        (await smoke.request(path, { body: {}, isOperator: false, headers: wrong })).status,
        401,
        'status for liars',
      );
      const signedIn = await smoke.request('/login/sandbox', { body: { name: 'Smoke: a user' } });
      const headers = { authorization: `Bearer ${String(signedIn.json['token'])}` };
      equal((await smoke.request(path, { body: {}, isOperator: false, headers })).status, 403, 'status for a user');
    },
  },
  {
    name: 'a run says five counts, and nothing else is taken in',
    async run(smoke) {
      const counts = await autoRelease(smoke);
      equal(
        Object.keys(counts).toSorted(),
        ['already_released', 'errors', 'examined', 'expired', 'released'],
        'what is counted',
      );
      equal(
        (await smoke.request('/admin/auto-release-now', { body: { force: true } })).status,
        400,
        'status with more',
      );
    },
  },
  {
    name: 'five people have a plan of one day and a VM each',
    async run(smoke) {
      nameRun(smoke);
      await offerPlan(smoke, 'day', 1, '2.00');
      for (const name of MACHINES) await addMachine(smoke, name);
      for (const [name, cents, is_renewing] of [
        ['leaving', 1_000, false],
        ['loyal', 1_000, true],
        ['poor', 300, true],
        ['tidy', 1_000, false],
        ['undecided', 1_000, false],
      ] as const) {
        if (name === 'tidy') await signIn(smoke, name, cents);
        else await openRenter(smoke, name, cents);
        await bought(smoke, name, 'day', { is_renewing });
        await allocated(smoke, name);
        smoke.keep(`home of ${name}`, await machineOf(smoke, name));
      }
    },
  },
  {
    name: 'each VM expires with the period that is paid',
    async run(smoke) {
      for (const name of ['leaving', 'loyal']) {
        const { period_ends_at: until } = await subscription(smoke, name);
        equal((await vm(smoke, name))['expires_at'], until, `expires_at of ${name}`);
        equal(
          (await smoke.billing(smoke.recall(name)))['vm_quota_period_end'],
          until,
          `what the wallet of ${name} says`,
        );
      }
      smoke.keep('end', (await vm(smoke, 'undecided'))['expires_at']);
    },
  },
  {
    name: 'in the middle of it nothing is due',
    async run(smoke) {
      const before = await autoRelease(smoke);
      const after = await autoRelease(smoke);
      equal(
        [after.released, ...grown(before, after).slice(0, 2)],
        [0, 0, 0],
        'released, and more examined and expired',
      );
      equal((await vm(smoke, 'leaving'))['state'], 'active', 'the VM');
    },
  },
  {
    name: 'what its user gives back before the end goes at once, and is not due',
    async run(smoke) {
      const before = await autoRelease(smoke);
      const given = await smoke.request(`/v1/allocations/${smoke.recall('vm of tidy')}/release`, {
        body: {},
        isOperator: false,
        headers: { authorization: `Bearer ${smoke.recall('token of tidy')}` },
      });
      equal([given.status, given.json['state']], [200, 'releasing'], 'status and state');
      const after = await autoRelease(smoke);
      equal([after.examined - before.examined, after.expired - before.expired], [0, 0], 'examined and expired');
    },
  },
  {
    name: 'five minutes before the end every VM is still there',
    async run(smoke) {
      await moveClockTo(smoke, msOf((await vm(smoke, 'leaving'))['expires_at']) - 5 * MINUTE_MS);
      keepCounts(smoke, 'before the end', await autoRelease(smoke));
      for (const name of ['leaving', 'loyal', 'poor', 'undecided'])
        equal((await vm(smoke, name))['state'], 'active', `the VM of ${name}`);
    },
  },
  {
    name: 'who resumes in time keeps theirs',
    async run(smoke) {
      const path = `/v1/subscriptions/${smoke.recall('subscription of undecided')}/resume`;
      const resumed = await smoke.request(path, { body: {} });
      equal([resumed.status, resumed.json['is_renewing']], [200, true], `status and is_renewing (${resumed.text})`);
    },
  },
  {
    name: 'the schedule takes back what is over, strictly after its end, without being asked',
    async run(smoke) {
      await moveClockTo(smoke, msOf(smoke.recall('end')) + 3 * MINUTE_MS);
      const gone = await vm(smoke, 'leaving');
      equal([gone['state'], gone['release_reason']], ['releasing', 'expired'], 'state and reason');
      const lateMs = msOf(gone['releasing_at']) - msOf(gone['expires_at']);
      holds(lateMs > 0, `it was taken back ${-lateMs} ms before or at its end`);
    },
  },
  {
    name: 'asked for afterwards a run counts it as taken back already',
    async run(smoke) {
      const counts = await autoRelease(smoke);
      keepCounts(smoke, 'after the end', counts);
      const [, expired, , already] = grown(keptCounts(smoke, 'before the end'), counts);
      // That of whoever left, and that of whoever gave theirs back: neither machine is clean yet.
      holds(Number(expired) >= 2, `${String(expired)} more have expired`);
      holds(Number(already) >= 2, `${String(already)} more were taken back before`);
      equal(counts.errors, 0, 'errors');
    },
  },
  {
    name: 'run again it does nothing',
    async run(smoke) {
      const again = await autoRelease(smoke);
      equal([again.released, grown(keptCounts(smoke, 'after the end'), again)], [0, [0, 0, 0, 0, 0]], 'what it adds');
    },
  },
  {
    name: 'what its user gave back keeps its reason',
    async run(smoke) {
      const gone = await vm(smoke, 'tidy');
      equal([gone['state'], gone['release_reason']], ['releasing', 'user'], 'state and reason');
    },
  },
  {
    name: 'the VM of a plan that renews stays, and lives a day longer',
    async run(smoke) {
      for (const name of ['loyal', 'undecided']) {
        const kept = await vm(smoke, name);
        const { period_starts_at: from, period_number: number } = await subscription(smoke, name);
        equal([kept['state'], number], ['active', 1], `the VM and the period of ${name}`);
        equal(msOf(kept['expires_at']) - msOf(from), DAY_MS, `the time that ${name} has`);
      }
    },
  },
  {
    name: 'the VM of a plan that is past due stays: it is examined, and not expired',
    async run(smoke) {
      const { state } = await subscription(smoke, 'poor');
      const kept = await vm(smoke, 'poor');
      equal([state, kept['state']], ['past_due', 'active'], 'the plan and the VM');
      holds(msOf(kept['expires_at']) < smoke.now().getTime(), 'its time is not over');
      const { examined, expired } = keptCounts(smoke, 'after the end');
      holds(examined > expired, `${examined} were examined and ${expired} have expired`);
    },
  },
  {
    name: 'once it is paid its time goes on, and a run examines one less',
    async run(smoke) {
      const before = await autoRelease(smoke);
      await setBalance(smoke, 'poor', 1_000);
      await eventually(
        'the plan is paid',
        () => subscription(smoke, 'poor'),
        ({ state }) => state === 'active',
      );
      equal(grown(before, await autoRelease(smoke)), [-1, 0, 0, 0, 0], 'what a run adds');
      holds(msOf((await vm(smoke, 'poor'))['expires_at']) > smoke.now().getTime(), 'its time is over');
    },
  },
  {
    name: 'a machine that was taken back is nobody’s before it is confirmed clean',
    async run(smoke) {
      const home = smoke.recall('home of leaving');
      equal((await machine(smoke, home))['state'], 'cleaning', 'the machine');
      await openRenter(smoke, 'next', 1_000);
      await bought(smoke, 'next', 'day');
      equal(refusalOf(await requestVm(smoke, 'next')), [409, 'pool_empty'], 'what the next one is told');
    },
  },
  {
    name: 'confirmed clean it is free, the VM is released, and no run examines it any more',
    async run(smoke) {
      const before = await autoRelease(smoke);
      equal((await confirmClean(smoke, smoke.recall('home of leaving'))).json['state'], 'free', 'the machine');
      const gone = await vm(smoke, 'leaving');
      equal([gone['state'], gone['release_reason']], ['released', 'expired'], 'state and reason');
      equal(grown(before, await autoRelease(smoke)), [-1, -1, 0, -1, 0], 'what a run adds');
    },
  },
  {
    name: 'the user is told that it is gone, and why, once',
    async run(smoke) {
      const told = itemsOf(await smoke.request(`/v1/events?wallet_sid=${smoke.recall('leaving')}&type=vm.released`));
      equal(
        told.map(({ body }) => (JSON.parse(String(body)) as { data: Item }).data['release_reason']),
        ['expired'],
        'the reasons',
      );
    },
  },
  {
    name: 'the next one has that very machine',
    async run(smoke) {
      await allocated(smoke, 'next');
      equal(await machineOf(smoke, 'next'), smoke.recall('home of leaving'), 'the machine');
    },
  },
  {
    name: 'a plan that an operator ends is over at once, and a run takes its VM back: one released',
    async run(smoke) {
      for (let tried = 0; tried < TRIES; tried += 1) {
        const before = await autoRelease(smoke);
        await endPlan(smoke, 'next');
        const counts = await autoRelease(smoke);
        const gone = await vm(smoke, 'next');
        if (counts.released > 0) {
          equal(grown({ ...before, released: 0 }, counts), [1, 1, 1, 0, 0], 'what the run adds');
          equal([gone['state'], gone['release_reason']], ['releasing', 'operator'], 'state and reason');
          return;
        }
        await eventually(
          'it is taken back by the schedule',
          async () => (await autoRelease(smoke), vm(smoke, 'next')),
          ({ state }) => state === 'releasing',
        );
        await confirmClean(smoke, await machineOf(smoke, 'next'));
        await bought(smoke, 'next', 'day');
        await allocated(smoke, 'next');
      }
      throw new Error(`the schedule came before us ${TRIES} times`);
    },
  },
  {
    name: 'run once more it finds that one taken back already',
    async run(smoke) {
      const before = await autoRelease(smoke);
      equal([before.released, before.already_released > 0], [0, true], 'released, and some taken back already');
      equal(grown(before, await autoRelease(smoke)), [0, 0, 0, 0, 0], 'what another run adds');
    },
  },
  {
    name: 'a machine that cleans itself is free at once, and its VM released',
    async run(smoke) {
      const path = `/v1/machines/${smoke.recall(`machine ${smoke.recall('home of loyal')}`)}`;
      equal((await smoke.request(path, { method: 'PATCH', body: { cleans_itself: true } })).status, 200, 'status');
      await endPlan(smoke, 'loyal');
      const gone = await eventually(
        'it is released',
        async () => (await autoRelease(smoke), vm(smoke, 'loyal')),
        ({ state }) => state !== 'active',
      );
      equal(gone['state'], 'released', 'the VM');
      equal((await machine(smoke, smoke.recall('home of loyal')))['state'], 'free', 'the machine');
    },
  },
  {
    name: 'who took a VM back, and why, can be read',
    async run(smoke) {
      const rows = itemsOf(await smoke.request(`/v1/audit-events?subject=${smoke.recall('vm of leaving')}`));
      const row = rows.find(({ action }) => action === 'allocation.release');
      equal(row?.['reason'], 'expired', 'the reason');
      holds(!String(row?.['actor']).startsWith('user'), `it was ${String(row?.['actor'])}`);
    },
  },
  {
    name: 'all of it is given back',
    async run(smoke) {
      for (const name of ['poor', 'undecided']) {
        await endPlan(smoke, name);
        await smoke.request(`/v1/allocations/${smoke.recall(`vm of ${name}`)}/release`, { body: {} });
      }
      await removeMachines(smoke, MACHINES);
      await withdrawPlans(smoke, ['day']);
    },
  },
];
