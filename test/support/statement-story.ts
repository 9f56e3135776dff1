import { micros } from '../../src/domain/money.ts';
import type { House } from '../../src/operations/house.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { idsFrom } from '../../src/ports/ids.ts';
import { systemClock as REAL_CLOCK } from '../../src/ports/system.ts';
import type { ProviderMovement } from '../../src/providers/provider.ts';
import { briskClock } from './brisk-clock.ts';
import { faultProxy, type Fault, type FaultProxy } from './fault-proxy.ts';
import { gone } from './gone.ts';
import { testHouse } from './house.ts';
import { paymentStory, type PaymentStory, type Process } from './payment-story.ts';
import { testPorts } from './ports.ts';
import { credited, dollars } from './refund-story.ts';

const DAY_MS = 86_400_000;
export const FEE = 300_000n;

/** How the database goes away: for a moment, until the work is given up, or in the middle of a commit. */
export const AWAY = ['blink', 'outage', 'lose_commit', 'lose_answer_of_commit'] as const;
export type Away = (typeof AWAY)[number];

/** Statements of a bank that are read by processes which die, or lose their database, at a place that a test names. */
export class StatementStory {
  readonly told: PaymentStory;
  /** Reads and decides; its places are counted and cut. */
  readonly process: Process;
  readonly #proxy: FaultProxy;
  #made = 0;

  private constructor(told: PaymentStory, process: Process, proxy: FaultProxy) {
    this.told = told;
    this.process = process;
    this.#proxy = proxy;
  }

  static async begin(): Promise<StatementStory> {
    const told = await paymentStory({ settings: { openPaymentsMax: 1_000_000 } });
    told.bank.fee = FEE;
    const proxy = await faultProxy(told.database.url);
    const own = testPorts({ seed: 21 });
    // A key whose holder is gone stays busy until the database has noticed: the waits for it are turns, and so are those between retries.
    const world = told.ports.clock;
    const clock = Object.assign(Object.create(world) as typeof world, briskClock(world));
    const ports = { ...own, clock, ids: idsFrom(clock, own.random) };
    const dbPorts = { ...own, clock: briskClock(REAL_CLOCK) };
    const db = told.database.open({ ports: dbPorts, url: proxy.url, poolMax: 2 });
    const house = testHouse({ db, ports, providers: [told.bank.asProvider(ports)] });
    return new StatementStory(told, { house, ports }, proxy);
  }

  /** Money in the account that no order of ours brought: what a test decides about. */
  strange(given: Partial<ProviderMovement> = {}): string {
    const { bank, ports } = this.told;
    const ref = `x${(this.#made += 1)}`;
    const about = { kind: 'payment', amount: dollars('7.00'), at: ports.clock.now(), paymentRef: `pi_${ref}` } as const;
    bank.lines.push(bank.line(ref, { ...about, ...given }));
    return ref;
  }

  /**
   * Days later, new things have happened at the bank: a payment that nobody has told of, a refund in its dashboard, a fee, a payout.
   * Answers the references of their lines; what was before is not read again.
   */
  async news(): Promise<readonly string[]> {
    const { told } = this;
    await told.ports.clock.advance(5 * DAY_MS);
    told.bank.lines.length = 0;
    told.bank.orders.clear();
    const known = await credited(told, '10.00');
    const { paymentRef } = told.bank.orderOf(known.sid);
    const { refundRef } = told.bank.giveBack(known.sid, { amount: dollars('4.00') });
    const unheard = told.bank.orderOf((await told.paid('25.00')).sid).paymentRef;
    const fee = this.strange({ kind: 'fee', amount: dollars('-2.00'), paymentRef: null });
    const payout = this.strange({ kind: 'payout', amount: dollars('-20.00'), paymentRef: null });
    return [`in_${paymentRef}`, `out_${refundRef}`, `in_${unheard}`, fee, payout];
  }

  read(house: House = this.told.house): Promise<unknown> {
    return reconcileAll(house);
  }

  /** Runs some work while the database goes away at the `at`th place of it. Answers whether there was such a place. */
  async cut(at: number, how: Away, work: () => Promise<unknown>): Promise<boolean> {
    const { crash } = this.process.ports;
    const fault: Fault = how === 'blink' || how === 'outage' ? 'reset' : how;
    let place = 0;
    let isCut = false;
    crash.on(() => {
      if ((place += 1) <= at || isCut) return;
      isCut = true;
      this.#proxy.set(fault);
      if (how === 'blink') this.#proxy.set('none');
    });
    await work();
    crash.on(null);
    this.#proxy.set('none');
    await gone(this.told);
    return isCut;
  }

  /** What lies on an account of the house, in micro-dollars. */
  async balanceOf(code: string): Promise<bigint> {
    const text =
      'select coalesce(sum(amount), 0)::int8 as sum from batch_leg join system_account on id = account where code = $1';
    const [row] = await this.told.database.owner.query<{ sum: bigint }>({ name: 'test.balance_of', text }, [code]);
    return micros(row?.sum ?? 0n);
  }

  /** How often each line is kept, and how far the statement was read. */
  async kept(
    refs: readonly string[],
  ): Promise<{ readonly lines: readonly (readonly [string, string])[]; readonly upTo: number }> {
    const { owner } = this.told.database;
    const text = 'select movement_ref as ref, state from provider_movement where movement_ref = any($1) order by ref';
    const lines = await owner.query<{ ref: string; state: string }>({ name: 'test.lines', text }, [refs]);
    const [read] = await owner.query<{ at: Date }>({
      name: 'test.read',
      text: 'select up_to as at from statement_read',
    });
    return { lines: lines.map(({ ref, state }) => [ref, state] as const), upTo: read?.at.getTime() ?? 0 };
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    await this.told.close();
  }
}
