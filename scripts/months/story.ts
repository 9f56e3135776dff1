import { microsOf, until, type World } from './world.ts';

export const MONTHS = 14;
export const MONTH_DAYS = 30;
const STEP_DAYS = 6;
const NOON = 0.5;
/** Less than a period of the plan costs: the next one cannot be paid. */
const LEFT_AFTER_THE_BIG_NIGHT = 6_000_000n;
const MACHINES = ['one', 'two', 'three'];

/** Something that somebody does on a day; the sentence says what came of it. */
export interface Deed {
  readonly day: number;
  run(world: World): Promise<string>;
}

/** The same numbers for the same seed (mulberry32). */
function dice(seed: number): (least: number, most: number) => number {
  let state = seed >>> 0;
  return (least, most) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return least + (((mixed ^ (mixed >>> 14)) >>> 0) % (most - least + 1));
  };
}

/** The life of one wallet, in the order of its days: bought, used, run dry, restored, given back, and bought anew. */
export function storyOf(seed: number): readonly Deed[] {
  const roll = dice(seed);
  const [first, rescue] = [roll(80, 99), roll(55, 65)];
  const deeds: Deed[] = [
    { day: 0, run: open },
    { day: 0, run: (world) => give(world, { amount: '25.00', kind: 'promo', days: 75, reason: 'Welcome' }) },
    { day: 0, run: (world) => topUp(world, first) },
    { day: 0, run: (world) => buy(world, 'vm-10') },
    { day: 0, run: allocate },
    ...[6, 12, 18, 24, 30, 36, 42, 48].map((day) => compute(day + NOON, roll(12, 24))),
    topUpOn(75, roll(45, 60)),
    {
      day: 98.5,
      run: (world) => give(world, { amount: '8.00', kind: 'goodwill', days: 12, reason: 'Sorry for the slow support' }),
    },
    { day: 100.5, run: downgrade },
    calls(102.5, `${roll(1, 3)}.50`),
    { day: 192.5, run: (world) => spendDown(world, 192.5) },
    { day: 215.5, run: (world) => restore(world, rescue) },
    { day: 252.5, run: (world) => outage(world, { from: 250, until: 251.5 }) },
    ...[258, 264, 270, 276, 282, 288].map((day) => compute(day + NOON, roll(12, 24))),
    topUpOn(300.5, roll(30, 40)),
    { day: 345.5, run: cancel },
    { day: 360.5, run: givenBack },
    topUpOn(385.5, 25),
    { day: 385.5, run: (world) => buy(world, 'vm-5') },
  ];
  return deeds.toSorted((one, other) => one.day - other.day);
}

/** When it is looked how the wallet stands: each sixth day, each day of a deed, and often where it runs dry. */
export function daysOf(deeds: readonly Deed[]): readonly number[] {
  const regular = Array.from({ length: (MONTHS * MONTH_DAYS) / STEP_DAYS }, (_, step) => step * STEP_DAYS + NOON);
  const dry = [206.5, 207.5, 208.5, 209.5, 211.5, 213.5, 214.5];
  const days = new Set([...regular, ...dry, ...deeds.map(({ day }) => day), MONTHS * MONTH_DAYS]);
  return [...days].toSorted((one, other) => one - other);
}

async function open({ operator, kept }: World): Promise<string> {
  const user = await operator.call('user.create', { display_name: 'Asha' });
  kept.set('user', user.sid);
  kept.set('wallet', user.billing.sid);
  const node = await operator.call('node.register', { name: 'render-farm', user_sids: [user.sid] });
  kept.set('node', node.key);
  const machines = MACHINES.map((name) => ({
    host: `rack-${name}`,
    address: `${name}.vms.example.org`,
    size: 'small',
  }));
  const { items } = await operator.call('machine.add', { machines });
  for (const [index, { sid }] of items.entries()) kept.set(`machine ${MACHINES[index] ?? ''}`, sid);
  return 'Asha has an empty wallet; the operator has a node and three machines';
}

interface Gift {
  readonly amount: string;
  readonly kind: 'promo' | 'goodwill';
  readonly days: number;
  readonly reason: string;
}

async function give(world: World, { amount, kind, days, reason }: Gift): Promise<string> {
  const { now } = await world.operator.call('clock.get', {});
  const endsAt = new Date(Date.parse(now) + days * 86_400_000).toISOString();
  const gift = { wallet_sid: world.recall('wallet'), amount, kind, expires_at: endsAt, reason };
  await world.operator.call('grant.give', gift, world.key());
  return `is given ${amount} USD that end in ${days} days`;
}

const topUpOn = (day: number, amount: number): Deed => ({ day, run: (world) => topUp(world, amount) });

async function topUp(world: World, amount: number): Promise<string> {
  await world.topUp(`${amount}.00`);
  return `tops up ${amount}.00 USD`;
}

async function buy(world: World, plan: string): Promise<string> {
  const sid = world.recall('wallet');
  const quote = await world.operator.call('plan.quote', { sid, plan });
  const bought = await world.operator.call('plan.buy', { sid, plan, quote: quote.token }, world.key());
  world.kept.set('subscription', bought.subscription.sid);
  return `buys ${bought.subscription.plan_name} for ${bought.paid} USD`;
}

async function allocate(world: World): Promise<string> {
  for (const name of ['web', 'database']) {
    const wish = { wallet_sid: world.recall('wallet'), name, ssh_key_sids: [], stop_order: 0 };
    const vm = await world.operator.call('allocation.create', wish, world.key());
    if (vm.state !== 'active') throw new Error(`the VM ${name} is ${vm.state}`);
    world.kept.set(`vm ${name}`, vm.sid);
  }
  return 'has two VMs, web and database';
}

/** What a node measured until an hour before; by the day alone, because a rung of the ladder may begin in that very moment. */
async function report(world: World, day: number, what: object): Promise<string> {
  const record = {
    idempotency_key: `day-${day}`,
    user_sid: world.recall('user'),
    resource_kind: 'render',
    occurred_at: new Date(world.at(day).getTime() - 3_600_000).toISOString(),
    ...what,
  };
  const answer = await fetch(`${world.url}/v1/usage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.recall('node')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ records: [record] }),
  });
  const [item] = ((await answer.json()) as { items: { outcome?: string; charge?: string }[] }).items;
  if (item?.outcome !== 'applied') throw new Error(`a record of usage came to ${JSON.stringify(item)}`);
  return String(item.charge);
}

const compute = (day: number, hours: number): Deed => ({
  day,
  run: async (world) => {
    const charge = await report(world, day, { applies_to: 'hero_os_hourly', quantity: String(hours) });
    return `renders for ${hours} hours: ${charge} USD`;
  },
});

const llm = (cost: string) => ({ applies_to: 'llm', resource_kind: 'demo/model', provider: 'openrouter', cost });

const calls = (day: number, cost: string): Deed => ({
  day,
  run: async (world) => `asks a model: ${await report(world, day, llm(cost))} USD`,
});

/** So much that what is left does not pay the next period. */
async function spendDown(world: World, day: number): Promise<string> {
  const { available } = await world.operator.call('billing.get', { sid: world.recall('wallet') });
  // The price is the cost and a tenth of it.
  const cents = ((microsOf(available) - LEFT_AFTER_THE_BIG_NIGHT) * 10n) / 11n / 10_000n;
  const cost = `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;
  return `asks a model all night: ${await report(world, day, llm(cost))} USD, and hardly anything is left`;
}

async function downgrade(world: World): Promise<string> {
  const sid = world.recall('subscription');
  const { kind } = await world.operator.call('subscription.change', { sid, plan: 'vm-5' }, world.key());
  if (kind !== 'at_period_end') throw new Error(`the smaller plan comes ${kind}`);
  return 'chooses 5 VMs instead of 10, from the next period on';
}

async function restore(world: World, amount: number): Promise<string> {
  const sid = world.recall('wallet');
  const before = await world.operator.call('standing.get', { sid });
  if (before.state !== 'suspended') throw new Error(`the wallet is ${before.state} before it is restored`);
  const done = await topUp(world, amount);
  await until(
    'everything runs again',
    async () => {
      await world.operator.call('clock.advance', { by: '1m' });
      const vms = await Promise.all(vmsOf(world).map((vm) => world.operator.call('allocation.get', { sid: vm })));
      return vms.every(({ state }) => state === 'active');
    },
    (isRunning) => isRunning,
  );
  return `${done}: the period is paid and both VMs run again`;
}

const vmsOf = (world: World): string[] => ['web', 'database'].map((name) => world.recall(`vm ${name}`));

async function outage(world: World, span: { readonly from: number; readonly until: number }): Promise<string> {
  world.kept.set('down from', String(span.from));
  world.kept.set('down until', String(span.until));
  const down = {
    machine_sid: world.recall('machine one'),
    from: world.at(span.from).toISOString(),
    until: world.at(span.until).toISOString(),
    reason: 'The power supply of rack one failed',
  };
  const { outage: made } = await world.operator.call('outage.create', { ...down, dry_run: false }, world.key());
  const sid = made?.sid ?? '';
  const settled = await until(
    'the outage is settled',
    async () => (await world.operator.call('outage.list', {})).items.find((one) => one.sid === sid),
    (one) => one?.state === 'done',
  );
  return `gets ${String(settled?.returned)} USD back: a machine was down for 36 hours`;
}

async function cancel(world: World): Promise<string> {
  const { period_ends_at: endsAt } = await world.operator.call('subscription.cancel', {
    sid: world.recall('subscription'),
  });
  return `cancels: the plan ends on ${endsAt.slice(0, 10)}`;
}

/** The schedule has taken them back by itself; the machines are clean when somebody says so. */
async function givenBack(world: World): Promise<string> {
  for (const sid of vmsOf(world)) {
    const vm = await world.operator.call('allocation.get', { sid });
    if (vm.state !== 'releasing') throw new Error(`a VM whose plan has ended is ${vm.state}`);
    await world.operator.call('machine.confirm-clean', { sid: String(vm.external_ref) });
  }
  return 'has no VMs any more: the plan has ended, the machines are clean and free';
}
