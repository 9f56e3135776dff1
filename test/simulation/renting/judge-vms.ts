import type { Intent } from '../history.ts';
import { isFinalAnswer } from '../history.ts';
import { underWay, type Context } from './context.ts';
import type { AllocationRow, Change, Changes, MachineRow } from './rows.ts';

/** From a step on: how many machines could be given away. */
interface Free {
  readonly step: number;
  readonly count: number;
}

const isOpen = ({ state }: Pick<AllocationRow, 'state'>): boolean => state !== 'released' && state !== 'failed';
/** Windows are told by the clocks of houses, which may be a second apart at the end. */
const SLACK_MS = 5_000;

/** Nobody has a machine that somebody else has, none is given again before it is clean, and nobody has more than was paid for. */
export class VmJudge {
  readonly #context: Context;
  readonly #free: Free[] = [{ step: 0, count: 0 }];
  /** By wallet: how many VMs it had from a step on, and how many it might have. */
  readonly #used = new Map<bigint, { readonly step: number; readonly used: number; readonly total: number }[]>();
  /** By wallet: steps at which it became suspended, or was not any more. */
  readonly #suspended = new Map<bigint, { readonly step: number; readonly is: boolean }[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  afterCommit(changes: Changes): void {
    for (const { before, after } of changes.wallet_standing)
      if ((before?.state === 'suspended') !== (after.state === 'suspended')) {
        const list = this.#suspended.get(after.wallet) ?? [];
        this.#suspended.set(after.wallet, [...list, { step: this.#context.step(), is: after.state === 'suspended' }]);
      }
    if (changes.machine.length + changes.allocation.length > 0) {
      this.#judgePlaces();
      for (const change of changes.machine) this.#judgeMachine(change);
      for (const change of changes.allocation) this.#judgeAllocation(change);
      const free = this.#context.rows
        .all('machine')
        .filter(({ state, is_draining: isDraining }) => state === 'free' && !isDraining);
      this.#free.push({ step: this.#context.step(), count: free.length });
    }
    if (changes.allocation.length + changes.subscription.length + changes.plan_period.length > 0) this.#count(changes);
  }

  atTheEnd(): void {
    const { rows, history, nowMs } = this.#context;
    for (const row of rows.all('allocation')) {
      if (!isOpen(row)) continue;
      const subscription = rows.get('subscription', row.subscription);
      if (row.state === 'requested') this.#break('what is asked for is answered', row, 'still requested');
      if (row.state === 'releasing' || !subscription) continue;
      const isPast = row.expires_at.getTime() < nowMs();
      if (subscription.state === 'ended' && isPast) this.#break('what is over is given back', row, subscription.sid);
      if (subscription.state !== 'ended' && row.expires_at.getTime() !== subscription.period_ends_at.getTime())
        this.#break('a VM lives as long as its plan is paid', row, row.expires_at.toISOString());
      const standing = rows.get('wallet_standing', row.wallet);
      const isRescued = standing?.rescue_until != null && standing.rescue_until.getTime() > nowMs() - SLACK_MS;
      const mayRun = standing?.state !== 'suspended' && standing?.state !== 'released';
      if (!isRescued && mayRun !== (row.state === 'active'))
        this.#break('VMs run or stand still as their wallet does', row, `${row.state} and ${standing?.state}`);
    }
    this.#judgeNames();
    for (const intent of history().intents) if (intent.operation === 'allocation.create') this.#judgeAnswer(intent);
  }

  /** One VM on a machine, whatever the states say. */
  #judgePlaces(): void {
    const { rows, breaks } = this.#context;
    const users = new Map<bigint, AllocationRow>();
    for (const row of rows.all('allocation')) {
      if (!isOpen(row) || row.machine === null) continue;
      const other = users.get(row.machine);
      if (other) breaks('a machine has one user', `machine ${row.machine}: ${other.sid} and ${row.sid}`);
      users.set(row.machine, row);
      const machine = rows.get('machine', row.machine);
      if (machine && (machine.state === 'free' || machine.state === 'removed'))
        breaks(
          'a machine with a VM on it is not free',
          `machine ${machine.sid} is ${machine.state}: ${row.sid} is ${row.state}`,
        );
      if (machine && machine.size !== row.size) breaks('a VM has its size', `${row.sid} on ${machine.sid}`);
    }
  }

  #judgeMachine({ before, after }: Change<MachineRow>): void {
    const { mark, step, breaks } = this.#context;
    if (before === null) return;
    const move = `${before.state} to ${after.state}`;
    if (before.state === after.state) return;
    if (before.state === 'removed') breaks('what was removed is gone', after.sid);
    if (move === 'allocated to free' && !before.cleans_itself)
      breaks('no machine is free before it is clean', `machine ${after.sid}: ${move}`);
    if (move === 'free to allocated' && before.is_draining) breaks('a draining machine is given to nobody', after.sid);
    if (move === 'cleaning to free') {
      mark('a machine is confirmed clean');
      const isAsked = underWay(this.#context, 'machine.confirm-clean', step()).some(
        ({ input }) => input['sid'] === after.sid,
      );
      if (!isAsked) breaks('no machine is free before it is clean', `machine ${after.sid}: nobody has confirmed it`);
    }
    if (after.state === 'removed') {
      mark('a machine is removed');
      if (before.state !== 'free') breaks('only a free machine is removed', `machine ${after.sid}: ${move}`);
    }
  }

  #judgeAllocation({ before, after }: Change<AllocationRow>): void {
    const { rows } = this.#context;
    const subscription = rows.get('subscription', after.subscription);
    const standing = rows.get('wallet_standing', after.wallet);
    if (before === null) {
      if (standing?.state === 'suspended') this.#break('a suspended wallet rents nothing', after, 'it asks for a VM');
      if (subscription?.state !== 'active')
        this.#break('a VM takes a plan that is paid', after, `${subscription?.state}`);
      const total = this.#totalOf(after.subscription);
      const used = rows.all('allocation').filter((row) => row.wallet === after.wallet && isOpen(row)).length;
      if (used > total) this.#break('nobody has more VMs than were paid for', after, `${used} of ${total}`);
      return;
    }
    if (before.state !== after.state) this.#judgeMove(before, after);
    if (before.machine !== null && after.machine !== null && before.machine !== after.machine)
      this.#break('a VM stays where it is', after, `${before.machine} and ${after.machine}`);
  }

  #judgeMove(before: AllocationRow, after: AllocationRow): void {
    const { rows, mark } = this.#context;
    if (!isOpen(before)) this.#break('what is over stays over', after, `${before.state} to ${after.state}`);
    if (after.state === 'active' && before.state === 'requested') mark('a VM is given');
    if (after.state === 'suspended') mark('a VM is stopped');
    if (after.state === 'active' && before.state === 'suspended') mark('a VM runs again');
    if (after.state === 'failed') mark('there is no machine for a VM');
    if (after.state === 'releasing') this.#judgeReason(before, after);
    if (after.state !== 'released') return;
    mark('a VM is gone');
    const machine = after.machine === null ? undefined : rows.get('machine', after.machine);
    if (machine?.state === 'cleaning' || machine?.state === 'allocated') {
      const isSomebodyElses = rows
        .all('allocation')
        .some((row) => row.machine === machine.id && row.id !== after.id && isOpen(row));
      if (!isSomebodyElses)
        this.#break(
          'a place is given back when its machine is clean',
          after,
          `machine ${machine.sid} is ${machine.state}`,
        );
    }
  }

  /** Nothing is taken from who has paid. */
  #judgeReason(before: AllocationRow, after: AllocationRow): void {
    const { rows, mark } = this.#context;
    const subscription = rows.get('subscription', after.subscription);
    const reason = after.release_reason;
    if (reason === 'expired') {
      mark('a VM goes with its plan');
      const isOver =
        subscription?.state === 'ended' || (subscription?.is_renewing === false && subscription.state === 'active');
      const isPast = (after.releasing_at?.getTime() ?? 0) > before.expires_at.getTime();
      if (!isOver || !isPast)
        this.#break(
          'no VM is taken before its time',
          after,
          `${subscription?.state} until ${before.expires_at.toISOString()}`,
        );
    }
    if (reason === 'unpaid' && subscription?.end_reason !== 'unpaid')
      this.#break('no VM is taken before its time', after, 'it is not unpaid');
  }

  #totalOf(subscription: bigint): number {
    const { rows } = this.#context;
    const last = rows
      .all('plan_period')
      .filter((row) => row.subscription === subscription)
      .at(-1);
    return (last && rows.get('plan', last.plan_sid)?.vm_count) ?? 0;
  }

  #count(changes: Changes): void {
    const { rows, step } = this.#context;
    const touched = new Set(
      [...changes.allocation, ...changes.plan_period, ...changes.subscription].map(({ after }) => after.wallet),
    );
    for (const wallet of touched) {
      const subscription = rows.all('subscription').find((row) => row.wallet === wallet && row.state !== 'ended');
      const used = rows.all('allocation').filter((row) => row.wallet === wallet && isOpen(row)).length;
      const total = subscription ? this.#totalOf(subscription.id) : 0;
      this.#used.set(wallet, [...(this.#used.get(wallet) ?? []), { step: step(), used, total }]);
    }
  }

  /** Each call has one VM at the most: its name is its own. */
  #judgeNames(): void {
    const names = new Map<string, AllocationRow>();
    for (const row of this.#context.rows.all('allocation')) {
      if (names.has(row.name)) this.#break('I11 a call has one VM', row, row.name);
      names.set(row.name, row);
    }
  }

  /** A VM that was told of is there, and a refusal was true at some moment while the call was under way. */
  #judgeAnswer(intent: Intent): void {
    const { rows, mark } = this.#context;
    const final = intent.attempts.find(isFinalAnswer);
    if (!final?.body) return;
    const row = rows.all('allocation').find(({ name }) => name === intent.input['name']);
    const text = `intent ${intent.number}`;
    if (final.status === 201) {
      if (!row || row.state === 'failed')
        this.#context.breaks('I22 a VM that was told of is there', `${text}: ${row?.state}`);
      return;
    }
    const from = intent.attempts[0]?.startStep ?? 0;
    const until = final.endStep ?? from;
    if (final.body.includes('"pool_empty"')) {
      mark('the pool is empty');
      if (within(this.#free, from, until).every(({ count }) => count > 0))
        this.#context.breaks('who asks while a machine is free has it', text);
    } else if (final.body.includes('"quota_reached"')) {
      mark('all VMs of a plan are in use');
      const counts = within(this.#used.get(this.#walletOf(intent)) ?? [], from, until);
      if (counts.length > 0 && counts.every(({ used, total }) => used < total))
        this.#context.breaks('who has a VM left is given it', text);
    } else if (final.body.includes('"wallet_suspended"')) {
      mark('a suspended wallet is refused');
      const list = within(
        [{ step: 0, is: false }, ...(this.#suspended.get(this.#walletOf(intent)) ?? [])],
        from,
        until,
      );
      if (!list.some(({ is }) => is)) this.#context.breaks('only a suspended wallet is refused as such', text);
    }
  }

  #walletOf(intent: Intent): bigint {
    return this.#context.model.idOf(intent.walletSid) ?? 0n;
  }

  #break(rule: string, { sid, name }: AllocationRow, detail: string): void {
    this.#context.breaks(rule, `VM ${sid} (${name}): ${detail}`);
  }
}

/** What was so at some moment between two steps: what began before and held on, and what came within. */
function within<T extends { readonly step: number }>(list: readonly T[], from: number, until: number): T[] {
  const before = list.findLast(({ step }) => step <= from);
  const later = list.filter(({ step }) => step > from && step <= until);
  return before ? [before, ...later] : later;
}
