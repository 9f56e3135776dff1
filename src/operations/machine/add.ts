import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { insertMachines, listMachinesBySid } from '../../store/machine.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { Undone } from '../run.ts';
import { labelsField, machineSchema, sizeField, toMachine } from './machine.ts';

const MACHINES_MAX = 200;

const addressField = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?)$/,
    'must be a name or an address, with a port if it is not 22',
  )
  .describe('How the user of its VM reaches it: `198.51.100.7`, `vm7.example.org:2207` or `[2001:db8::7]`.');

export const machineAdd = operation({
  name: 'machine.add',
  summary: 'Add machines to the pool',
  description:
    'All of them, or none if the address of one is in the pool already. Each is free at once, so it must be clean: the next VM of its size is on it.',
  http: { method: 'post', path: '/v1/machines', status: 201 },
  access: 'operator',
  right: 'configure',
  // An address is in the pool once.
  idempotency: 'none',
  input: z.strictObject({
    machines: z
      .array(
        z.strictObject({
          host: z
            .string()
            .regex(
              /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
              'must be a name of letters, digits, dot and hyphen',
            )
            .describe('The machine as the operator speaks of it.'),
          address: addressField,
          size: sizeField,
          labels: labelsField.default({}),
          cleans_itself: z
            .boolean()
            .default(false)
            .describe('Say true only of a machine that wipes itself when it is given back: it is free at once.'),
        }),
      )
      .min(1)
      .max(MACHINES_MAX),
  }),
  output: z.object({ items: z.array(machineSchema), next_cursor: z.null() }),
  refusals: ['state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    const made = input.machines.map(({ cleans_itself: cleansItself, ...machine }) => ({
      ...machine,
      cleansItself,
      sid: ports.ids.sid(),
    }));
    return await db.transaction('machine.add', async (tx) => {
      const added = new Set(await insertMachines(tx, made, { now, actor: call.actor.id }));
      const there = made.filter(({ sid }) => !added.has(sid)).map(({ address }) => address);
      if (there.length > 0)
        throw new Undone(
          refuse(
            'state_conflict',
            `These addresses are in the pool already, or twice in the list: ${there.join(', ')}.`,
          ),
        );
      for (const { sid, address, size, cleansItself } of made)
        await recordAudit(tx, call, {
          action: 'machine.add',
          subject: sid,
          after: { address, size, cleans_itself: cleansItself },
        });
      const rows = await listMachinesBySid(
        tx,
        made.map(({ sid }) => sid),
      );
      return { items: rows.map(toMachine), next_cursor: null };
    });
  },
});
