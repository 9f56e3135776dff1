import { z } from 'zod';
import { ALLOCATION_STATES, isOpen, RELEASE_REASONS, WANTED } from '../../domain/allocation/state.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { PROVISIONERS } from '../../domain/allocation/provisioner-name.ts';
import { lockAllocation, readAllocation, type AllocationRow } from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField } from '../schema.ts';
import { maySee } from '../visible.ts';

export const allocationSchema = z
  .object({
    sid: sidField,
    wallet_sid: sidField,
    user_sid: sidField.describe('Who asked for it, and has their SSH keys on it.'),
    state: z
      .enum(ALLOCATION_STATES)
      .describe(
        'requested: asked for, and not known to be there · active · suspended: stopped, its disk kept · releasing: taken back, its place not ' +
          'confirmed clean yet · released · failed: there is no VM.',
      ),
    wanted: z.enum(WANTED).describe('What it is to be. While the state is another, it is on its way.'),
    name: z.string(),
    size: z.string(),
    provisioner: z.enum(PROVISIONERS),
    external_ref: z.string().nullable().describe("The provisioner's own name for it; of the pool the machine's sid."),
    host: z.string().nullable(),
    address: z.string().nullable().describe('How it is reached: a name or an address, with a port if it is not 22.'),
    ssh_keys: z.array(z.string()).describe('As they were when it was asked for.'),
    stop_order: z
      .int()
      .describe('Which is stopped first when the wallet runs dry: the lowest; of equal ones the newest.'),
    expires_at: instant.describe('The end of the period that is paid. It moves on when the plan renews.'),
    created_at: instant,
    active_at: instant.nullable(),
    suspended_at: instant.nullable(),
    release_reason: z.enum(RELEASE_REASONS).nullable(),
    releasing_at: instant.nullable(),
    released_at: instant.nullable(),
    problem: z.string().nullable().describe('Why it failed; for operators also what stands in the way at the moment.'),
  })
  .meta({ id: 'Allocation' });

export function toAllocation(row: AllocationRow, reader: 'owner' | 'operator'): z.input<typeof allocationSchema> {
  return {
    sid: row.sid,
    wallet_sid: row.walletSid,
    user_sid: row.userSid,
    state: row.state,
    wanted: row.wanted,
    name: row.name,
    size: row.size,
    provisioner: row.provisioner,
    external_ref: row.externalRef,
    host: row.host,
    address: row.address,
    ssh_keys: [...row.sshKeys],
    stop_order: row.stopOrder,
    expires_at: row.expiresAt.toISOString(),
    created_at: row.createdAt.toISOString(),
    active_at: row.activeAt?.toISOString() ?? null,
    suspended_at: row.suspendedAt?.toISOString() ?? null,
    release_reason: row.releaseReason,
    releasing_at: row.releasingAt?.toISOString() ?? null,
    released_at: row.releasedAt?.toISOString() ?? null,
    problem: reader === 'operator' || !isOpen(row.state) ? row.problem : null,
  };
}

export const readerOf = (actor: Actor): 'owner' | 'operator' => (actor.kind === 'user' ? 'owner' : 'operator');

/** An allocation that the actor may see, locked until the transaction ends or only looked at. */
export async function visibleAllocation(
  tx: Tx,
  actor: Actor,
  sid: string,
  reading: 'lock' | 'look',
): Promise<AllocationRow | Refusal> {
  const row = reading === 'lock' ? await lockAllocation(tx, sid) : await readAllocation(tx, sid);
  return row && maySee(actor, row.ownerSid) ? row : refuse('not_found', 'There is no VM with this sid.');
}
