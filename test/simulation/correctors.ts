import type { NodeRow } from '../../src/store/node.ts';
import type { Intent } from './history.ts';
import type { Ask } from './holders.ts';
import type { Person } from './people.ts';
import { Chance } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';

export interface CorrectorsOptions {
  readonly scheduler: Scheduler;
  readonly life: Life;
  readonly ask: Ask;
  readonly nodes: readonly NodeRow[];
}

const HOUR_MS = 3_600_000;
const CATEGORIES = ['hero_os_hourly', 'llm', 'storage', 'requests'];

type Row = Readonly<Record<string, unknown>>;

/** Operators who put charges right: one line, many, what nobody has paid, and the prices themselves. */
export class Correctors {
  readonly #options: CorrectorsOptions;

  constructor(options: CorrectorsOptions) {
    this.#options = options;
  }

  /** A line of a statement is taken back, twice by those who do not trust the first answer. */
  async takeBack(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    const { walletSid: sid } = person;
    const shown = await ask('billing.statement', { sid, limit: 50 }, person, chance);
    const lines = itemsOf(shown).filter(({ kind }) => kind === 'usage');
    if (lines.length === 0) return;
    const input = { sid, seq: chance.pick(lines)['seq'], reason: 'deed' };
    if (chance.is(0.2)) await ask('usage.void', { ...input, dry_run: true }, person, chance);
    await ask('usage.void', input, person, chance);
    if (chance.is(0.3)) await ask('usage.void', input, person, chance);
  }

  /** Everything that fits: mostly of one wallet, sometimes of a node or a category. Tried before, stopped half way, asked for twice. */
  async correctMany(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    const kind = chance.is(0.6) ? 'reprice' : 'void';
    const input = { kind, reason: 'deed', ...this.#filter(chance, person) };
    if (chance.is(0.4)) await ask('correction.create', { ...input, dry_run: true }, person, chance);
    if (chance.is(0.2)) return;
    const made = await ask('correction.create', input, person, chance);
    const body = made.attempts.find(({ status }) => status === 201)?.body;
    if (body === null || body === undefined) return;
    const { correction } = JSON.parse(body) as { correction: { sid: string } };
    const { sid } = correction;
    if (chance.is(0.15)) await ask('correction.cancel', { sid, reason: 'deed' }, person, chance);
    if (chance.is(0.3)) await ask('correction.create', input, person, new Chance(made.number, 'at once'));
    await ask('correction.get', { sid }, person, chance);
  }

  /** Everything of a node whose key was stolen: rarely, for little is left after it. */
  async reverse(chance: Chance, person: Person): Promise<void> {
    const { scheduler, ask, nodes } = this.#options;
    const since = new Date(scheduler.nowMs - chance.below(HOUR_MS)).toISOString();
    const input = { sid: chance.pick(nodes).sid, since, reason: 'deed', confirm: chance.is(0.7) };
    await ask('node.reverse', input, person, chance);
  }

  /** What a wallet could not pay: billed, written off, or left to the house. */
  async settleUnbilled(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    const wallet = { wallet_sid: person.walletSid };
    const shown = await ask('usage.list-unbilled', { ...wallet, limit: 50 }, person, chance);
    const items = itemsOf(shown);
    if (items.length === 0) return;
    const id = String(chance.pick(items)['id']);
    const next = chance.weighted([
      ['bill all', 2],
      ['bill one', 2],
      ['write off', 2],
    ]);
    if (next === 'bill all') await ask('usage.bill-unbilled', wallet, person, chance);
    else if (next === 'bill one') await ask('usage.bill-unbilled', { id }, person, chance);
    else await ask('usage.write-off', { id, reason: 'deed' }, person, chance);
  }

  /** A price from now on, from soon on, or from the past for one that was wrong. */
  async setPrice(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    if (chance.is(0.25)) return await this.#setModelPrice(chance, person);
    const offsetMs = chance.weighted([
      [chance.between(100, 2_000), 3],
      [chance.below(4 * HOUR_MS), 1],
      [-chance.below(20 * 24 * HOUR_MS), 3],
    ]);
    const from = { active_from: this.#at(offsetMs), is_backdated: offsetMs < 0 };
    const price = drawPrice(chance);
    await ask('price.create', { ...price, ...from }, person, chance);
    if (offsetMs > 0 || chance.is(0.2)) return;
    // What was charged wrongly is charged anew: that is what prices from the past are for.
    const whose = chance.is(0.4) ? { wallet_sid: person.walletSid } : {};
    const input = { kind: 'reprice', reason: 'deed', category: price['category'], ...whose };
    await ask('correction.create', input, person, chance);
  }

  /** Without them the first records of a life are refused. */
  async openPrices(chance: Chance, person: Person): Promise<void> {
    const { ask } = this.#options;
    const from = { active_from: '2025-12-01T00:00:00.000Z' };
    await Promise.all([
      ask('price.create', { ...drawTiers(chance), ...from, is_backdated: true }, person, new Chance(1, 'tiers')),
      ask('price.create', { ...drawPackage(chance), ...from, is_backdated: true }, person, new Chance(2, 'package')),
      ask('model-price.create', { ...drawModel(chance), ...from }, person, new Chance(3, 'model')),
    ]);
  }

  async #setModelPrice(chance: Chance, person: Person): Promise<void> {
    const input = { ...drawModel(chance), active_from: this.#at(chance.between(100, 5_000)) };
    await this.#options.ask('model-price.create', input, person, chance);
  }

  #at(offsetMs: number): string {
    return new Date(this.#options.scheduler.nowMs + offsetMs).toISOString();
  }

  #filter(chance: Chance, { walletSid }: Person): Row {
    const { nodes } = this.#options;
    const whose = chance.weighted([
      [{ wallet_sid: walletSid }, 6],
      [{ node_sid: chance.pick(nodes).sid }, 1],
      [{ wallet_sid: walletSid, node_sid: chance.pick(nodes).sid }, 1],
      [{}, 1],
    ] as const);
    const category = chance.is(0.6) || Object.keys(whose).length === 0 ? { category: chance.pick(CATEGORIES) } : {};
    const from = chance.is(0.3) ? { occurred_from: this.#at(-chance.below(10 * 24 * HOUR_MS)) } : {};
    const until = chance.is(0.2) ? { occurred_until: this.#at(-chance.below(HOUR_MS)) } : {};
    return { ...whose, ...category, ...from, ...until };
  }
}

function drawPrice(chance: Chance): Row {
  return chance.weighted([
    [drawHourly, 5],
    [drawMargin, 3],
    [drawTiers, 1],
    [drawPackage, 1],
  ])(chance);
}

const resourceOf = (chance: Chance, name: string): Row => (chance.is(0.5) ? { resource_kind: name } : {});

const drawHourly = (chance: Chance): Row => ({
  category: 'hero_os_hourly',
  ...resourceOf(chance, 'small'),
  kind: 'per_hour',
  unit: 'hour',
  amount: `0.${String(chance.between(1, 30)).padStart(2, '0')}`,
  margin_percent: String(chance.pick([0, 10, 25])),
});

const drawMargin = (chance: Chance): Row => ({
  category: 'llm',
  ...resourceOf(chance, 'm/x'),
  kind: 'cost_plus',
  unit: 'call',
  margin_percent: String(chance.between(0, 30)),
});

const drawTiers = (chance: Chance): Row => ({
  category: 'storage',
  ...(chance.is(0.2) ? { resource_kind: 'backup' } : {}),
  kind: 'tiered',
  unit: 'gib',
  tiers: [
    { up_to: String(chance.between(5, 20)), amount: '0' },
    { up_to: String(chance.between(40, 90)), amount: '0.02' },
    { amount: '0.015' },
  ],
  margin_percent: '10',
});

const drawPackage = (chance: Chance): Row => ({
  category: 'requests',
  kind: 'package',
  unit: 'call',
  package_size: String(chance.between(20, 120)),
  amount: `0.${chance.between(10, 60)}`,
  margin_percent: '0',
});

const drawModel = (chance: Chance): Row => ({
  provider: 'groq',
  model: 'm/tokens',
  input: `0.${chance.between(10, 90)}`,
  ...(chance.is(0.5) ? { cached_input: '0.05' } : {}),
  output: `1.${chance.between(10, 90)}`,
});

function itemsOf(intent: Intent): readonly Row[] {
  const body = intent.attempts.find(({ status }) => status === 200)?.body;
  return body === null || body === undefined ? [] : (JSON.parse(body) as { items: Row[] }).items;
}
