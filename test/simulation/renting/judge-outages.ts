import type { Entry } from '../ledger-model.ts';
import { RENTING_KIND, type Context } from './context.ts';
import type { AllocationRow, Changes, CreditRow, OutageRow } from './rows.ts';

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Nobody pays for an instant at which their VM was down, and nobody is given it back twice. */
export class OutageJudge {
  readonly #context: Context;
  /** By VM: the times that were given back. */
  readonly #given = new Map<bigint, Span[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** `fresh`: the entries of the commit. */
  afterCommit(changes: Changes, fresh: readonly Entry[]): void {
    const returns = fresh.filter(({ kind, account }) => kind === RENTING_KIND.planReturn && account % 16n === 0n);
    if (returns.length !== changes.outage_credit.length)
      this.#context.breaks('what is given back has its row', `${returns.length} and ${changes.outage_credit.length}`);
    for (const { after } of changes.outage_credit) this.#judgeCredit(after, returns);
    for (const { before, after } of changes.outage) {
      if (before?.state !== 'done' && after.state === 'done' && after.subject !== 'node') this.#judgeDone(after);
      if (before !== null && before.state !== 'cancelled' && after.state === 'cancelled')
        this.#context.mark('an outage is taken back');
    }
  }

  atTheEnd(): void {
    for (const { sid, state } of this.#context.rows.all('outage'))
      if (state === 'settling') this.#context.breaks('an outage that is over is settled', sid);
  }

  #judgeCredit(credit: CreditRow, returns: readonly Entry[]): void {
    const { rows, breaks, mark } = this.#context;
    const outage = rows.get('outage', credit.outage);
    const vm = rows.get('allocation', credit.allocation);
    const where = `outage ${credit.outage}, VM ${vm?.sid}`;
    if (!outage || !vm) return breaks('what is given back is of something', where);
    mark('an outage is given back');
    const spans = credit.from_at.map((from, index) => ({
      fromMs: from.getTime(),
      untilMs: credit.until_at[index]?.getTime() ?? 0,
    }));
    const before = this.#given.get(vm.id) ?? [];
    for (const span of spans) {
      if (before.some((one) => isShared(one, span))) breaks('an instant is given back once', where);
      const isWithin =
        span.fromMs >= outage.from_at.getTime() &&
        span.untilMs <= (outage.until_at?.getTime() ?? 0) &&
        span.fromMs >= (vm.active_at?.getTime() ?? Infinity);
      if (!isWithin) breaks('only what was down is given back', where);
    }
    if (before.length > 0) mark('two outages name the same VM');
    this.#given.set(vm.id, [...before, ...spans]);
    const wanted = this.#worthOf(vm, spans);
    if (credit.amount !== wanted)
      breaks('what was down is given back as it was paid', `${where}: ${credit.amount} and not ${wanted}`);
    const entry = returns.find(({ idem }) => idem === credit.idem);
    if (entry?.amount !== credit.amount) breaks('what is given back is in the wallet', `${where}: ${entry?.amount}`);
  }

  /** Each VM that was there, and paid for, has its time back, by this outage or another. */
  #judgeDone(outage: OutageRow): void {
    const { rows, breaks, mark } = this.#context;
    for (const vm of rows.all('allocation')) {
      const span = this.#downSpan(outage, vm);
      if (span === null) continue;
      mark('a VM was down');
      for (const rest of without(span, this.#given.get(vm.id) ?? []))
        if (this.#worthOf(vm, [rest]) > 0n)
          breaks(
            'nobody pays for what was down',
            `outage ${outage.sid}, VM ${vm.sid}: ${new Date(rest.fromMs).toISOString()}`,
          );
    }
  }

  #downSpan(outage: OutageRow, vm: AllocationRow): Span | null {
    const machine = this.#context.rows.all('machine').find(({ sid }) => sid === outage.subject_ref);
    const isMeant =
      outage.subject === 'allocation'
        ? vm.sid === outage.subject_ref
        : outage.subject === 'host'
          ? vm.host === outage.subject_ref
          : vm.external_ref === machine?.sid;
    if (!isMeant || vm.active_at === null || outage.until_at === null) return null;
    const end = vm.releasing_at ?? vm.released_at ?? (vm.state === 'suspended' ? vm.suspended_at : null);
    const span = {
      fromMs: Math.max(vm.active_at.getTime(), outage.from_at.getTime()),
      untilMs: Math.min(end?.getTime() ?? Infinity, outage.until_at.getTime()),
    };
    return span.fromMs < span.untilMs ? span : null;
  }

  /** Of each stretch of paid time the VM's share of its price, rounded up. */
  #worthOf(vm: AllocationRow, spans: readonly Span[]): bigint {
    const { rows } = this.#context;
    const parts = rows.all('plan_period').filter(({ subscription }) => subscription === vm.subscription);
    let worth = 0n;
    for (const part of parts) {
      const whole = parts.filter(({ number }) => number === part.number);
      const wholeMs = BigInt(
        Math.max(...whole.map(({ ends_at: end }) => end.getTime())) -
          Math.min(...whole.map(({ starts_at: start }) => start.getTime())),
      );
      const plan = rows.get('plan', part.plan_sid);
      const paid = { fromMs: part.starts_at.getTime(), untilMs: part.ends_at.getTime() };
      const ms = BigInt(spans.reduce((sum, span) => sum + lengthOf(shared(span, paid)), 0));
      if (!plan || ms === 0n || wholeMs === 0n) continue;
      const divisor = wholeMs * BigInt(plan.vm_count);
      worth += (plan.price * ms + divisor - 1n) / divisor;
    }
    return worth;
  }
}

const shared = (a: Span, b: Span): Span => ({
  fromMs: Math.max(a.fromMs, b.fromMs),
  untilMs: Math.min(a.untilMs, b.untilMs),
});
const lengthOf = ({ fromMs, untilMs }: Span): number => Math.max(0, untilMs - fromMs);
const isShared = (a: Span, b: Span): boolean => lengthOf(shared(a, b)) > 0;

function without(span: Span, taken: readonly Span[]): Span[] {
  let left = [span];
  for (const one of taken) {
    left = left
      .flatMap((part) => [
        { fromMs: part.fromMs, untilMs: Math.min(part.untilMs, one.fromMs) },
        { fromMs: Math.max(part.fromMs, one.untilMs), untilMs: part.untilMs },
      ])
      .filter((part) => lengthOf(part) > 0);
  }
  return left;
}
