import { assertNever } from '../../domain/assert.ts';
import type { ProvisionerAnswer } from '../../domain/allocation/decide.ts';
import { questionOf } from '../../domain/allocation/state.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import type { Provisioner, VmStatus } from '../../providers/provisioner.ts';
import type { AllocationRow } from '../../store/allocation.ts';
import type { House } from '../house.ts';

/** What a provisioner said of one allocation. */
export interface Answer {
  readonly answer: ProvisionerAnswer;
  /** With how the VM is reached; null: there is none, or nobody knows. */
  readonly status: VmStatus | null;
}

/**
 * Asks the provisioner for what is to become of an allocation, as its row stands. Never call it inside a transaction.
 *
 * Shape: a provisioner that fails is an answer as well. Safe to: repeat; the allocation's sid is its key for ever.
 */
export async function askProvisioner(house: House, allocation: AllocationRow): Promise<Answer> {
  const provisioner = house.provisioners.get(allocation.provisioner);
  if (!provisioner) return noAnswer(`The provisioner ${allocation.provisioner} is not configured any more.`);
  try {
    return toAnswer(await ask(provisioner, allocation));
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    const facts = { allocation_sid: allocation.sid, provisioner: provisioner.name, kind: error.kind, error };
    house.ports.log.warn(facts, 'a provisioner did not answer');
    const isDefinite = error.kind === 'refused' && error.outcome === 'none';
    return isDefinite ? { answer: { kind: 'refused', detail: error.message }, status: null } : noAnswer(error.message);
  }
}

const noAnswer = (detail: string): Answer => ({ answer: { kind: 'no_answer', detail }, status: null });

function ask(provisioner: Provisioner, allocation: AllocationRow): Promise<VmStatus | 'none' | null> {
  const { sid } = allocation;
  const question = questionOf(allocation);
  switch (question) {
    case 'allocate':
      return provisioner.allocate({
        allocationSid: sid,
        userSid: allocation.userSid,
        forgeId: allocation.forgeId,
        name: allocation.name,
        size: allocation.size,
        sshKeys: allocation.sshKeys,
        expiresAt: allocation.expiresAt,
      });
    case 'suspend':
      return provisioner.suspend(sid);
    case 'resume':
      return provisioner.resume(sid);
    case 'release':
      return provisioner.release(sid);
    default:
      return assertNever(question);
  }
}

function toAnswer(told: VmStatus | 'none' | null): Answer {
  if (told === 'none') return { answer: { kind: 'none' }, status: null };
  if (told === null) return { answer: { kind: 'unknown' }, status: null };
  return { answer: { kind: 'vm', state: told.state, problem: told.problem }, status: told };
}
