import { Chance } from './random.ts';

/** What can go wrong. Each seed draws which of these happen, and how often (a swarm): a rare fault hides behind a common one. */
export const FAULTS = [
  'client_timeout',
  'client_duplicate',
  'client_key_reuse',
  'client_key_forgotten',
  'crash',
  'crash_in_transaction',
  'pause',
  'clock_forward',
  'clock_back',
  'sql_40001',
  'sql_40P01',
  'sql_lost',
  'commit_lost_before',
  'commit_lost_after',
  'pool_exhausted',
  'sql_slow',
  'database_down',
  'job_lost',
  'provider_timeout_before',
  'provider_timeout_after',
  'provider_5xx_after',
  'provider_rate_limited',
  'provider_wrong_object',
  'webhook_dropped',
  'webhook_never',
  'webhook_duplicated',
  'webhook_delayed',
  'webhook_reordered',
  'webhook_forged',
  'webhook_stale',
  'webhook_future',
  'webhook_wrong_mode',
  'webhook_wrong_account',
  'webhook_wrong_order',
  'paid_other_amount',
  'paid_other_currency',
  'paid_late',
  'operator_double_click',
  'two_operators',
  'forge_away',
  'forge_lost_answer',
  'forge_conflict',
  'forge_half_written',
  'forge_stale',
  'forge_truncated',
] as const;
export type Fault = (typeof FAULTS)[number];

/** The most often that each happens at one opportunity, in the worst weather. Opportunities differ: statements are many, payments few. */
const WORST: Readonly<Record<Fault, number>> = {
  client_timeout: 0.15,
  client_duplicate: 0.3,
  client_key_reuse: 0.8,
  client_key_forgotten: 0.05,
  crash: 0.004,
  crash_in_transaction: 0.002,
  pause: 0.004,
  clock_forward: 0.002,
  clock_back: 0.002,
  sql_40001: 0.02,
  sql_40P01: 0.02,
  sql_lost: 0.01,
  commit_lost_before: 0.1,
  commit_lost_after: 0.06,
  pool_exhausted: 0.02,
  sql_slow: 0.1,
  database_down: 0.003,
  job_lost: 0.3,
  provider_timeout_before: 0.15,
  provider_timeout_after: 0.5,
  provider_5xx_after: 0.3,
  provider_rate_limited: 0.2,
  provider_wrong_object: 0.05,
  webhook_dropped: 0.5,
  webhook_never: 0.5,
  webhook_duplicated: 0.5,
  webhook_delayed: 0.5,
  webhook_reordered: 0.5,
  webhook_forged: 0.4,
  webhook_stale: 0.2,
  webhook_future: 0.3,
  webhook_wrong_mode: 0.5,
  webhook_wrong_account: 0.4,
  webhook_wrong_order: 0.2,
  paid_other_amount: 0.6,
  paid_other_currency: 0.6,
  paid_late: 0.3,
  operator_double_click: 0.3,
  two_operators: 0.6,
  forge_away: 0.2,
  forge_lost_answer: 0.4,
  forge_conflict: 0.7,
  forge_half_written: 0.5,
  forge_stale: 0.3,
  forge_truncated: 0.3,
};

/** The weather of one seed. `strikes` is asked at every opportunity and counts what it lets happen. */
export class Weather {
  readonly counts = new Map<Fault, number>();
  isOver = false;
  readonly #rates = new Map<Fault, number>();
  readonly #chances = new Map<Fault, Chance>();

  constructor(seed: number, without: ReadonlySet<Fault> = new Set()) {
    const draw = new Chance(seed, 'weather');
    for (const fault of FAULTS) {
      const isOn = draw.is(0.6);
      const strength = draw.next() ** 2;
      this.#rates.set(fault, isOn && !without.has(fault) ? WORST[fault] * strength : 0);
      this.#chances.set(fault, new Chance(seed, `fault/${fault}`));
    }
  }

  strikes(fault: Fault): boolean {
    if (this.isOver) return false;
    const hits = this.#chances.get(fault)?.is(this.#rates.get(fault) ?? 0) ?? false;
    if (hits) this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    return hits;
  }

  /** How many faults have struck. */
  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
