import type { Mutant } from './mutant.ts';

/** Bugs of plans, VMs, given credit and wallets that run dry: looked for in lives of renting (`npm run simulate -- --renting`). */
export const RENTING_MUTANTS: readonly Mutant[] = [
  {
    name: 'renewal_charged_twice',
    lesson: 'A renewal is posted once more under another key: the most expensive bug that a subscription can have.',
    patches: [
      {
        file: 'src/operations/subscription/settle-due.ts',
        find: 'const outcomes = await applyPostings(tx, [...records.values()], stamp);',
        replace:
          'const outcomes = await applyPostings(tx, [...records.values()], stamp);\n' +
          '  const again = [...records.values()].map((one) => ({ ...one, idem: `${one.idem.slice(0, -2)}f0` }));\n' +
          '  await applyPostings(tx, again, { ...stamp, batch: ports.ids.batchId() });',
      },
    ],
  },
  {
    name: 'renewed_hours_early',
    lesson: 'A tick looks ahead, so that nobody waits: whoever cancels in the last hours has paid already.',
    patches: [
      {
        file: 'src/operations/subscription/renew.ts',
        find: 'const due = { now: ports.clock.now(), limit: SUBSCRIPTIONS_PER_COMMIT };',
        replace:
          'const due = { now: new Date(ports.clock.now().getTime() + 8 * 3_600_000), limit: SUBSCRIPTIONS_PER_COMMIT };',
      },
    ],
  },
  {
    name: 'part_of_a_period_by_days',
    lesson:
      'What is left of a period is counted in whole days: whoever upgrades in the evening pays too little, or too much.',
    patches: [
      {
        file: 'src/domain/plan/prorate.ts',
        find: 'const leftMs = BigInt(part.endsAt.getTime() - part.from.getTime());',
        replace: 'const leftMs = (BigInt(part.endsAt.getTime() - part.from.getTime()) / 86_400_000n) * 86_400_000n;',
      },
    ],
  },
  {
    name: 'quota_is_not_given_back',
    lesson: 'A VM that is gone counts for ever: after five of them nobody can have another one.',
    patches: [
      {
        file: 'src/store/quota.ts',
        find: "allocation.state in ('requested', 'active', 'suspended', 'releasing')",
        replace: "allocation.state in ('requested', 'active', 'suspended', 'releasing', 'released')",
      },
    ],
  },
  {
    name: 'quota_is_free_before_it_is_clean',
    lesson:
      'Who gives back has another one at once, and holds two machines while one is cleaned: the pool is empty for others.',
    patches: [
      {
        file: 'src/store/quota.ts',
        find: "allocation.state in ('requested', 'active', 'suspended', 'releasing')",
        replace: "allocation.state in ('requested', 'active', 'suspended')",
      },
    ],
  },
  {
    name: 'machine_taken_without_a_look',
    lesson: 'A machine is taken whether or not somebody is on it: two users on one disk.',
    patches: [
      {
        file: 'src/store/machine.ts',
        find: "where state = 'free' and not is_draining and size = $1 order by id limit 1 for no key update skip locked)",
        replace: 'where not is_draining and size = $1 order by id limit 1 for no key update skip locked)',
      },
    ],
  },
  {
    name: 'machine_free_before_it_is_clean',
    lesson: 'What is given back is given on: the next user finds the disk of the one before.',
    patches: [
      {
        file: 'src/operations/allocation/pool-provisioner.ts',
        find: "({ ...row, state: 'cleaning', isStopped: false })",
        replace: "({ ...row, state: 'free', isStopped: false })",
      },
    ],
  },
  {
    name: 'past_due_loses_its_vms',
    lesson: 'A plan that is paid a day late has lost its disks: what could not be paid is taken for what has ended.',
    patches: [
      {
        file: 'src/domain/allocation/expiry.ts',
        find: "return subscriptionState === 'ended' || (subscriptionState === 'active' && !isRenewing);",
        replace: "return subscriptionState !== 'active' || !isRenewing;",
      },
    ],
  },
  {
    name: 'given_credit_after_paid',
    lesson: 'What was paid goes first: given credit expires unused, and who has paid is told that it was a gift.',
    patches: [
      {
        file: 'src/domain/ledger/decide.ts',
        find: 'const draws = fromGiven ? this.#drawsOn(wallet, needed) : [];',
        replace:
          'const own = this.#known(wallet).balance;\n    const draws = fromGiven ? this.#drawsOn(wallet, own > 0n ? needed - own : needed) : [];',
      },
    ],
  },
  {
    name: 'expired_credit_is_spent',
    lesson: 'Until a tick comes, what has expired pays: how long it is good hangs on who looks.',
    patches: [
      {
        file: 'src/domain/ledger/given.ts',
        find: 'expiresAt === null || expiresAt.getTime() > at.getTime();',
        replace: 'expiresAt === null || at.getTime() > 0;',
      },
    ],
  },
  {
    name: 'oldest_grant_first',
    lesson: 'Grants are used in the order in which they were given: the one that ends tomorrow is lost.',
    patches: [
      {
        file: 'src/domain/ledger/given.ts',
        find: 'if (endOfA !== endOfB) return endOfA < endOfB ? -1 : 1;',
        replace: 'if (endOfA !== endOfB) return a.number < b.number ? -1 : 1;',
      },
    ],
  },
  {
    name: 'given_counts_as_paid',
    lesson: 'A bonus counts as money that somebody paid: it can be asked back, and opens what is for payers.',
    patches: [
      {
        file: 'src/store/wallet.ts',
        find: 'coalesce(paid.total, 0)::int8 as lifetime_paid',
        replace:
          '(coalesce(paid.total, 0) + (select coalesce(sum(amount), 0) from grant_credit where grant_credit.wallet = wallet.id))::int8 as lifetime_paid',
      },
    ],
  },
  {
    name: 'suspended_wallet_rents',
    lesson: 'A wallet whose VMs were stopped asks for new ones, and they run.',
    patches: [
      {
        file: 'src/store/standing.ts',
        find: "if (row?.state !== 'suspended') return { ok: true };",
        replace: "if (row?.state !== 'released') return { ok: true };",
      },
    ],
  },
  {
    name: 'suspended_without_a_grace',
    lesson: 'The deadline that was told is not waited for: VMs stop with the notice.',
    patches: [
      {
        file: 'src/domain/standing/decide.ts',
        find: 'if (isPast(seen.deadlineAt, moment.now) && !isDelayed(seen.deadlineAt, facts, moment.now)) {',
        replace: 'if (!isDelayed(seen.deadlineAt, facts, moment.now)) {',
      },
    ],
  },
  {
    name: 'restored_vms_stay_stopped',
    lesson: 'Who has paid is told that all is well, and nothing runs.',
    patches: [
      {
        file: 'src/operations/standing/steer-vms.ts',
        find: 'if (isGoing()) await resumeVm(house, sid);',
        replace: 'if (!isGoing()) await resumeVm(house, sid);',
      },
    ],
  },
  {
    name: 'outage_credited_twice',
    lesson: 'A machine and its host were down: the same hour is given back for both.',
    patches: [
      {
        file: 'src/operations/outage/shares.ts',
        find: 'credited.get(vm.id) ?? []);',
        replace: '[]);',
      },
    ],
  },
];
