import { z } from 'zod';
import { MACHINE_STATES, type MachineRow } from '../../store/machine.ts';
import { instant, sidField, textField } from '../schema.ts';

export const sizeField = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'must be 1 to 32 of a-z, 0-9 and hyphen')
  .describe('As the plans call it, for example small.');

const LABELS_MAX = 20;

export const labelsField = z
  .record(
    z.string().regex(/^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$/, 'must be a name of a-z, 0-9 and . _ / -'),
    textField(200),
  )
  .refine((labels) => Object.keys(labels).length <= LABELS_MAX, `must be at most ${LABELS_MAX}`)
  .describe('Whatever the operator wants to know of it, by name.');

export const machineSchema = z
  .object({
    sid: sidField,
    host: z.string(),
    address: z.string(),
    size: z.string(),
    labels: z.record(z.string(), z.string()),
    state: z
      .enum(MACHINE_STATES)
      .describe('free · allocated · cleaning: given back, and not confirmed clean yet · removed.'),
    is_draining: z.boolean().describe('Given to nobody any more; who has it keeps it.'),
    cleans_itself: z.boolean().describe('Wipes itself when it is given back, and is free at once.'),
    is_stopped: z.boolean().describe('Whether its VM is to stand still, its disk kept.'),
    created_at: instant,
    changed_at: instant,
    allocation: z
      .object({
        sid: sidField,
        state: z.string(),
        name: z.string(),
        user_sid: sidField,
        ssh_keys: z.array(z.string()).describe('Who may come in.'),
      })
      .nullable()
      .describe('The VM on it; null: none.'),
  })
  .meta({ id: 'Machine' });

export function toMachine(row: MachineRow): z.input<typeof machineSchema> {
  const { allocation } = row;
  return {
    sid: row.sid,
    host: row.host,
    address: row.address,
    size: row.size,
    labels: row.labels,
    state: row.state,
    is_draining: row.isDraining,
    cleans_itself: row.cleansItself,
    is_stopped: row.isStopped,
    created_at: row.createdAt.toISOString(),
    changed_at: row.changedAt.toISOString(),
    allocation: allocation && {
      sid: allocation.sid,
      state: allocation.state,
      name: allocation.name,
      user_sid: allocation.userSid,
      ssh_keys: [...allocation.sshKeys],
    },
  };
}
