import { Fraction } from '../month/fraction.ts';
import { boundary, type Length } from './calendar.ts';

/** A version of a plan, as an operator made it. */
export interface Version {
  readonly code: string;
  readonly version: number;
  readonly price: bigint;
  readonly length: Length;
  readonly vms: number;
  readonly isForSale: boolean;
  readonly fromMs: number;
}

/** A stretch of time that was paid. */
export interface Paid {
  readonly number: number;
  readonly part: number;
  readonly code: string;
  readonly version: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly amount: bigint;
}

/** What became of a wish to change. */
export type Change = 'at_once' | 'at_period_end' | 'no';

interface Held {
  readonly version: Version;
  readonly anchorMs: number;
  readonly anchorNumber: number;
  readonly number: number;
  readonly part: number;
  readonly startMs: number;
  /** Where the whole period began, before any change within it. */
  readonly wholeFromMs: number;
  readonly endMs: number;
  isRenewing: boolean;
  isPastDue: boolean;
  nextCode: string | null;
}

/**
 * What becomes of one wallet, worked out from the documents alone: what it asked for and was granted goes in, and what it must have paid, may
 * use and have left comes out. Shares no code with the product.
 */
export class Tenant {
  /** By subscription, in the order in which they were bought. */
  readonly paid: Paid[][] = [];
  readonly ends: string[] = [];
  balance = 0n;
  plan: Held | null = null;
  readonly #versions: readonly Version[];

  /** `versions`: what operators have made, by now; more may come. */
  constructor(versions: readonly Version[]) {
    this.#versions = versions;
  }

  /** How many VMs may be had; none without a plan. */
  get quota(): number {
    return this.plan?.version.vms ?? 0;
  }

  forSale(code: string, atMs: number): Version | null {
    const newest = this.#newest(code, atMs, this.#versions);
    return newest?.isForSale === true ? newest : null;
  }

  buy(code: string, atMs: number, isRenewing: boolean): boolean {
    return this.#orNothing(() => this.#buy(code, atMs, isRenewing), false);
  }

  #buy(code: string, atMs: number, isRenewing: boolean): boolean {
    this.renew(atMs);
    const version = this.forSale(code, atMs);
    if (this.plan !== null || version === null || !this.#take(version.price)) return false;
    const endMs = boundary(atMs, version.length, 1);
    const about = {
      version,
      anchorMs: atMs,
      anchorNumber: 0,
      number: 0,
      part: 0,
      startMs: atMs,
      wholeFromMs: atMs,
      endMs,
    };
    this.plan = { ...about, isRenewing, isPastDue: false, nextCode: null };
    this.paid.push([]);
    this.#note(this.plan, version.price);
    return true;
  }

  /** More for more money at once, for what is left of the period; anything else from the next period on. */
  change(code: string, atMs: number): Change {
    return this.#orNothing(() => this.#change(code, atMs), 'no');
  }

  #change(code: string, atMs: number): Change {
    this.renew(atMs);
    const { plan } = this;
    if (plan === null) return 'no';
    if (plan.version.code === code && plan.nextCode !== null) {
      plan.nextCode = null;
      this.renew(atMs);
      return 'at_period_end';
    }
    const wanted = this.forSale(code, atMs);
    if (wanted === null || plan.version.code === code || !plan.isRenewing) return 'no';
    if (plan.isPastDue || !isMore(plan.version, wanted)) {
      plan.nextCode = code;
      this.renew(atMs);
      return 'at_period_end';
    }
    const left = new Fraction(BigInt(plan.endMs - atMs), BigInt(plan.endMs - plan.wholeFromMs));
    const rest = new Fraction(wanted.price).times(left).floor;
    const unused = ceiling(new Fraction(plan.version.price).times(left));
    const cost = rest > unused ? rest - unused : 0n;
    if (!this.#take(cost)) return 'no';
    this.#endPartAt(atMs);
    this.plan = { ...plan, version: wanted, part: plan.part + 1, startMs: atMs, nextCode: null };
    this.#note(this.plan, cost);
    return 'at_once';
  }

  /** What is due and unpaid ends at once, anything else with its period. */
  cancel(atMs: number): void {
    this.renew(atMs);
    const { plan } = this;
    if (plan?.isPastDue === true) return this.end('cancelled');
    if (plan === null) return;
    if (plan.isRenewing) plan.nextCode = null;
    plan.isRenewing = false;
  }

  resume(atMs: number): boolean {
    return this.#orNothing(() => {
      this.renew(atMs);
      if (this.plan !== null) this.plan.isRenewing = true;
      return this.plan !== null;
    }, false);
  }

  /** The house looks, later than it should perhaps: whatever is over is paid, one period at a time, or ends, or waits for money. */
  renew(nowMs: number): void {
    for (let { plan } = this; plan !== null && plan.endMs <= nowMs; { plan } = this) {
      if (!plan.isRenewing) return this.end('cancelled');
      let next = this.#after(plan);
      // Nothing ran for it while it was unpaid: periods that are over as a whole are left out.
      while (plan.isPastDue && next.endMs <= nowMs) next = this.#after(next);
      if (!this.#take(next.version.price)) {
        plan.isPastDue = true;
        return;
      }
      this.plan = next;
      this.#note(next, next.version.price);
    }
  }

  end(reason: 'cancelled' | 'operator'): void {
    this.plan = null;
    this.ends.push(reason);
  }

  /** A call that is refused changes nothing, not even what was due and could be paid by now: that is paid when the house looks. */
  #orNothing<T>(act: () => T, refused: T): T {
    const before = { balance: this.balance, plan: this.plan && { ...this.plan } };
    const paid = this.paid.map((periods) => [...periods]);
    const ends = [...this.ends];
    const done = act();
    if (done !== refused) return done;
    Object.assign(this, before);
    this.paid.splice(0, this.paid.length, ...paid);
    this.ends.splice(0, this.ends.length, ...ends);
    return refused;
  }

  #take(amount: bigint): boolean {
    if (this.balance < amount) return false;
    this.balance -= amount;
    return true;
  }

  #after(plan: Held): Held {
    const code = plan.nextCode ?? plan.version.code;
    const sold = this.#versions.filter(({ isForSale }) => isForSale);
    const version = this.#newest(code, plan.endMs, sold) ?? plan.version;
    const number = plan.number + 1;
    const isSame =
      version.length.unit === plan.version.length.unit && version.length.count === plan.version.length.count;
    const anchorMs = isSame ? plan.anchorMs : plan.endMs;
    const anchorNumber = isSame ? plan.anchorNumber : number;
    const endMs = boundary(anchorMs, version.length, number + 1 - anchorNumber);
    const about = {
      version,
      anchorMs,
      anchorNumber,
      number,
      part: 0,
      startMs: plan.endMs,
      wholeFromMs: plan.endMs,
      endMs,
    };
    return { ...about, isRenewing: plan.isRenewing, isPastDue: false, nextCode: null };
  }

  #newest(code: string, atMs: number, versions: readonly Version[]): Version | null {
    const active = versions.filter((version) => version.code === code && version.fromMs <= atMs);
    return active.reduce<Version | null>((best, one) => (best !== null && best.fromMs > one.fromMs ? best : one), null);
  }

  #note({ number, part, version, startMs, endMs }: Held, amount: bigint): void {
    this.paid.at(-1)?.push({ number, part, code: version.code, version: version.version, startMs, endMs, amount });
  }

  #endPartAt(atMs: number): void {
    const own = this.paid.at(-1);
    const last = own?.pop();
    if (own && last) own.push({ ...last, endMs: atMs });
  }
}

const isMore = (present: Version, wanted: Version): boolean =>
  present.length.unit === wanted.length.unit &&
  present.length.count === wanted.length.count &&
  wanted.price >= present.price &&
  wanted.vms >= present.vms;

const ceiling = ({ numerator, denominator }: Fraction): bigint => (numerator + denominator - 1n) / denominator;
