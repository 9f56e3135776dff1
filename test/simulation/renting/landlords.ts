import { sidIn } from '../caller.ts';
import type { Person } from '../people.ts';
import type { Chance } from '../random.ts';
import type { Life, Scheduler } from '../scheduler.ts';
import { otherVersion, PLANS_AT_FIRST } from './plans.ts';
import type { AskAs, Renters } from './renters.ts';

export interface LandlordsOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly ask: AskAs;
  readonly renters: Renters;
}

const HOUR_MS = 3_600_000;
const SOON_HOURS = 0.1;
const HOSTS = ['rack-1', 'rack-2'];

/** Operators: their machines, what they sell, what they give away, what was down, and whom they stop. */
export class Landlords {
  readonly #options: LandlordsOptions;
  readonly #machines: string[] = [];
  readonly #grants: string[] = [];
  readonly #outages: string[] = [];
  #addresses = 0;

  constructor(options: LandlordsOptions) {
    this.#options = options;
  }

  async moveIn(chance: Chance, anybody: Person): Promise<void> {
    const { ask } = this.#options;
    for (const plan of PLANS_AT_FIRST) await ask('plan.create', plan, anybody, chance);
    await this.#addMachines(chance, anybody, chance.between(2, 7));
  }

  async add(chance: Chance, person: Person): Promise<void> {
    await this.#addMachines(chance, person, chance.between(1, 2));
  }

  async #addMachines(chance: Chance, person: Person, count: number): Promise<void> {
    const machines = Array.from({ length: count }, () => ({
      host: chance.pick(HOSTS),
      address: `vm${(this.#addresses += 1)}.example.org`,
      size: 'small',
      cleans_itself: chance.is(0.3),
    }));
    const intent = await this.#options.ask('machine.add', { machines }, person, chance);
    const body = intent.attempts.find(({ status }) => status === 201)?.body;
    if (typeof body !== 'string') return;
    const { items } = JSON.parse(body) as { items: { sid: string }[] };
    this.#machines.push(...items.map(({ sid }) => sid));
  }

  /** Who cleans looks at what there is to clean, and confirms some of it; sometimes what is not theirs to confirm. */
  async clean(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    const list = await ask(
      'machine.list',
      { state: chance.is(0.8) ? 'cleaning' : 'allocated', limit: 50 },
      person,
      chance,
    );
    const body = list.attempts.find(({ status }) => status === 200)?.body ?? '{"items":[]}';
    const { items } = JSON.parse(body) as { items: { sid: string }[] };
    for (const { sid } of items) if (chance.is(0.7)) await ask('machine.confirm-clean', { sid }, person, chance);
  }

  async drain(chance: Chance, person: Person): Promise<void> {
    const sid = this.#pick(chance, this.#machines);
    if (sid === null) return;
    const { ask, scheduler, life } = this.#options;
    await ask('machine.set', { sid, is_draining: true }, person, chance);
    await scheduler.park(life, chance.between(1, 30) * HOUR_MS, 'drains');
    const isGone =
      chance.is(0.3) && (await ask('machine.remove', { sid }, person, chance)).attempts.at(-1)?.status === 200;
    if (!isGone) await ask('machine.set', { sid, is_draining: false }, person, chance);
  }

  async give(chance: Chance, person: Person): Promise<void> {
    const { ask, scheduler, life } = this.#options;
    const cents = chance.weighted([
      [chance.between(1, 300), 3],
      [chance.between(100, 2_000), 3],
    ]);
    const hours = chance.pick([null, SOON_HOURS, 2, 20, 100, 400]);
    const intent = await ask(
      'grant.give',
      {
        wallet_sid: person.walletSid,
        amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
        kind: chance.pick(['promo', 'goodwill', 'bonus']),
        priority: chance.pick([1, 100, 100]),
        ...(hours !== null && { expires_at: new Date(Math.ceil(scheduler.nowMs) + hours * HOUR_MS).toISOString() }),
        reason: 'deed',
      },
      person,
      chance,
    );
    const sid = sidIn(intent, 201);
    if (sid === null) return;
    this.#grants.push(sid);
    if (hours !== SOON_HOURS) return;
    // Just after its end, whether or not anybody has looked.
    await scheduler.park(life, SOON_HOURS * HOUR_MS + chance.below(20_000), 'the end of a grant');
    await ask('billing.debit', { sid: person.walletSid, amount: '0.01', description: 'deed' }, person, chance);
  }

  async revoke(chance: Chance, person: Person): Promise<void> {
    const sid = this.#pick(chance, this.#grants.slice(-3));
    if (sid === null) return await this.give(chance, person);
    await this.#options.ask('grant.revoke', { sid, reason: 'deed' }, person, chance);
  }

  /** Of a machine, a host or a VM; of some time ago, or it goes on and ends later. */
  async sayDown(chance: Chance, person: Person): Promise<void> {
    const { ask, scheduler, life, renters } = this.#options;
    const vm = this.#pick(chance, renters.vmSids.slice(-12));
    const machine = this.#pick(chance, this.#machines);
    const subject = chance.weighted<Record<string, string>>([
      [vm === null ? { host: chance.pick(HOSTS) } : { allocation_sid: vm }, 3],
      [machine === null ? { host: chance.pick(HOSTS) } : { machine_sid: machine }, 2],
      [{ host: chance.pick(HOSTS) }, 2],
    ]);
    const fromMs = Math.floor(scheduler.nowMs) - chance.between(2, 100) * HOUR_MS;
    const isOver = chance.is(0.7);
    const until = new Date(fromMs + chance.between(1, 90) * HOUR_MS);
    const over = isOver && until.getTime() < scheduler.nowMs ? { until: until.toISOString() } : {};
    const input = { ...subject, from: new Date(fromMs).toISOString(), ...over, reason: 'deed' };
    const intent = await ask('outage.create', input, person, chance);
    const body = intent.attempts.find(({ status }) => status === 201)?.body;
    if (typeof body !== 'string') return;
    const { outage } = JSON.parse(body) as { outage: { sid: string } | null };
    if (outage === null) return;
    this.#outages.push(outage.sid);
    if ('until' in over) return;
    await scheduler.park(life, chance.between(1, 40) * HOUR_MS, 'down');
    await ask('outage.end', { sid: outage.sid }, person, chance);
  }

  async takeBack(chance: Chance, person: Person): Promise<void> {
    const sid = this.#pick(chance, this.#outages);
    if (sid !== null) await this.#options.ask('outage.cancel', { sid, reason: 'deed' }, person, chance);
  }

  /** For days: VMs stand still, nothing is bought, and nothing is released. */
  async freeze(chance: Chance, person: Person): Promise<void> {
    const { ask, scheduler, life } = this.#options;
    const input = { sid: person.walletSid, reason: 'deed' };
    await ask('billing.freeze', { ...input, is_frozen: true }, person, chance);
    await scheduler.park(life, chance.between(1, 200) * HOUR_MS, 'frozen');
    await ask('billing.freeze', { ...input, is_frozen: false }, person, chance);
  }

  async setPrice(chance: Chance, person: Person): Promise<void> {
    const code = chance.pick(['week-2', 'week-4', 'day-1']);
    if (chance.is(0.1)) return void (await this.#options.ask('plan.withdraw', { code }, person, chance));
    const draw = { cents: chance.between(100, 500), vms: chance.between(1, 5), isLonger: chance.is(0.2) };
    await this.#options.ask('plan.create', otherVersion(code, draw), person, chance);
  }

  async releaseNow(chance: Chance, person: Person): Promise<void> {
    await this.#options.ask('allocation.auto-release', {}, person, chance);
  }

  #pick(chance: Chance, sids: readonly string[]): string | null {
    return sids.length === 0 ? null : chance.pick(sids);
  }
}
