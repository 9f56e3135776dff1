import { assertNever } from '../assert.ts';
import type { AllocationFacts, AllocationState } from './state.ts';

/** What became of a question to the provisioner. */
export type ProvisionerAnswer =
  | {
      readonly kind: 'vm';
      readonly state: 'provisioning' | 'running' | 'stopped' | 'releasing' | 'released' | 'failed';
      readonly problem: string | null;
    }
  /** It knows no such VM. */
  | { readonly kind: 'unknown' }
  /** There is no place of this size. */
  | { readonly kind: 'none' }
  /** A definite no, after which there is no VM. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Nobody knows what it did. */
  | { readonly kind: 'no_answer'; readonly detail: string };

/** What is new about it, for whoever is told. */
export type Happened = 'allocated' | 'suspended' | 'resumed' | 'failed' | 'released';

export interface Verdict {
  readonly after: AllocationFacts;
  readonly happened: Happened | null;
}

/** A request of ours that was lost on its way may still arrive within this time: a VM that nobody knows is not called gone before. */
const UNSURE_MS = 120_000;
const FIRST_CHECK_MS = 5_000;
const CHECK_INTERVAL_MAX_MS = 10 * 60_000;

/** 5 s, 10 s, 20 s … 10 min. */
export const checkAfterMs = (checks: number): number =>
  Math.min(FIRST_CHECK_MS * 2 ** Math.min(checks, 20), CHECK_INTERVAL_MAX_MS);

/** Why one that was never made is over. */
export const NO_PLACE = 'No machine of this size is free.';

/** What an answer makes of an allocation, at `now`. Pure; the same answer twice changes nothing the second time but when it is asked again. */
export function decide(facts: AllocationFacts, answer: ProvisionerAnswer, now: Date): Verdict {
  switch (facts.state) {
    case 'requested':
      return ofRequested(facts, answer, now);
    case 'active':
    case 'suspended':
      return ofLiving(facts, answer, now);
    case 'releasing':
      return ofReleasing(facts, answer, now);
    case 'released':
    case 'failed':
      return ofClosed(facts, answer, now);
    default:
      return assertNever(facts.state);
  }
}

function ofRequested(facts: AllocationFacts, answer: ProvisionerAnswer, now: Date): Verdict {
  if (answer.kind === 'none') return failed(facts, NO_PLACE, now);
  if (answer.kind === 'refused') return failed(facts, answer.detail, now);
  return answer.kind === 'vm' ? ofVm(facts, answer, now) : askAgain(facts, now, problemOf(answer));
}

function ofLiving(facts: AllocationFacts, answer: ProvisionerAnswer, now: Date): Verdict {
  if (answer.kind === 'unknown') return failed(facts, 'The VM is not there any more.', now);
  return answer.kind === 'vm' ? ofVm(facts, answer, now) : askAgain(facts, now, problemOf(answer));
}

/** Of one that nobody has taken back. */
function ofVm(facts: AllocationFacts, answer: ProvisionerAnswer & { kind: 'vm' }, now: Date): Verdict {
  switch (answer.state) {
    case 'provisioning':
      return askAgain(facts, now, answer.problem);
    case 'running':
      return became(facts, 'active', now);
    case 'stopped':
      return became(facts, 'suspended', now);
    case 'releasing':
      return goes(facts, { reason: 'operator', problem: answer.problem, happened: null }, now);
    case 'released':
      return released({ ...facts, releaseReason: 'operator' }, now);
    // Something of it may be left: it is asked to go, and only then over.
    case 'failed':
      return goes(facts, { reason: 'failed', problem: answer.problem ?? 'The VM failed.', happened: 'failed' }, now);
    default:
      return assertNever(answer.state);
  }
}

function became(facts: AllocationFacts, state: 'active' | 'suspended', now: Date): Verdict {
  const isAsWanted = (state === 'active') === (facts.wanted === 'running');
  const isNew = facts.state !== state;
  const after: AllocationFacts = {
    ...facts,
    state,
    activeAt: facts.activeAt ?? now,
    suspendedAt: state === 'active' ? null : (facts.suspendedAt ?? now),
    problem: null,
    checks: isAsWanted || isNew ? 0 : facts.checks + 1,
    checkAt: isAsWanted ? null : isNew ? now : later(facts, now),
  };
  return { after, happened: isNew ? happenedOf(facts.state, state) : null };
}

/** One that is stopped as soon as it is made was made: that it does not run is told when it is asked for. */
function happenedOf(before: AllocationState, state: 'active' | 'suspended'): Happened {
  if (before === 'requested') return 'allocated';
  return state === 'active' ? 'resumed' : 'suspended';
}

interface Going {
  readonly reason: 'operator' | 'failed';
  readonly problem: string | null;
  readonly happened: Happened | null;
}

const goes = (facts: AllocationFacts, { reason, problem, happened }: Going, now: Date): Verdict => ({
  after: { ...facts, state: 'releasing', releaseReason: reason, releasingAt: now, problem, checks: 0, checkAt: now },
  happened,
});

function ofReleasing(facts: AllocationFacts, answer: ProvisionerAnswer, now: Date): Verdict {
  if (answer.kind === 'unknown') {
    // Whatever asked for it was sent before it was taken back.
    const isSure = facts.activeAt !== null || now.getTime() - (facts.releasingAt ?? now).getTime() >= UNSURE_MS;
    return isSure ? released(facts, now) : askAgain(facts, now, facts.problem);
  }
  if (answer.kind === 'vm' && answer.state === 'released') return released(facts, now);
  // Why it goes is worth more than that it is not gone yet.
  return askAgain(facts, now, answer.kind === 'vm' ? (answer.problem ?? facts.problem) : problemOf(answer));
}

/** It is over for us; what turns up all the same is asked to go until it is gone. */
function ofClosed(facts: AllocationFacts, answer: ProvisionerAnswer, now: Date): Verdict {
  const isGone = answer.kind === 'unknown' || (answer.kind === 'vm' && answer.state === 'released');
  const isNothing = answer.kind === 'none' || (answer.kind === 'refused' && facts.checkAt === null);
  if (isGone || isNothing) return { after: { ...facts, checkAt: null, checks: 0 }, happened: null };
  return { after: { ...facts, checkAt: later(facts, now), checks: facts.checks + 1 }, happened: null };
}

const released = (facts: AllocationFacts, now: Date): Verdict => ({
  after: {
    ...facts,
    state: 'released',
    releasingAt: facts.releasingAt ?? now,
    releasedAt: now,
    checks: 0,
    checkAt: null,
  },
  happened: 'released',
});

const failed = (facts: AllocationFacts, problem: string, now: Date): Verdict => ({
  after: { ...facts, state: 'failed', releaseReason: 'failed', releasedAt: now, problem, checks: 0, checkAt: null },
  happened: 'failed',
});

const askAgain = (facts: AllocationFacts, now: Date, problem: string | null): Verdict => ({
  after: { ...facts, problem, checks: facts.checks + 1, checkAt: later(facts, now) },
  happened: null,
});

const later = ({ checks }: AllocationFacts, now: Date): Date => new Date(now.getTime() + checkAfterMs(checks));

const problemOf = (answer: ProvisionerAnswer): string | null =>
  answer.kind === 'no_answer' || answer.kind === 'refused' ? answer.detail : null;

/** A person or the house takes it back: from now on it is asked to go. The same once more changes nothing. */
export function takeBack(facts: AllocationFacts, reason: AllocationFacts['releaseReason'], now: Date): AllocationFacts {
  if (facts.state === 'releasing' || facts.state === 'released' || facts.state === 'failed') return facts;
  return {
    ...facts,
    state: 'releasing',
    releaseReason: reason,
    releasingAt: now,
    problem: null,
    checks: 0,
    checkAt: now,
  };
}

/** From now on it is to run, or to be stopped. Null: it is over or goes, and is neither. */
export function want(facts: AllocationFacts, wanted: AllocationFacts['wanted'], now: Date): AllocationFacts | null {
  if (facts.state === 'releasing' || facts.state === 'released' || facts.state === 'failed') return null;
  if (facts.wanted === wanted) return facts;
  return { ...facts, wanted, checks: 0, checkAt: now };
}
