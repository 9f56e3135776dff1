import { z } from 'zod';
import { parseDecimal, ZERO } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { insertOutage, type OutageRow } from '../../store/outage.ts';
import { readMachineSid, readAllocationSid } from '../../store/outage-subject.ts';
import { readNode } from '../../store/node.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Call } from '../operation.ts';
import { countMoved, hasDailyLimit } from '../operator/daily-limit.ts';
import { instant, sidField, textField } from '../schema.ts';
import { endOpen, readyToEnd } from './end-open.ts';
import { outageSchema, toOutage } from './outage.ts';
import { outagePreviewSchema, previewOutage, type Subject } from './preview.ts';

const subjectInput = {
  node_sid: sidField.optional().describe('A node: its usage of the time is not billed.'),
  machine_sid: sidField.optional().describe('A machine of the pool: its VM’s share of the plan is given back.'),
  host: textField(255).optional().describe('Everything on a host, by its name.'),
  allocation_sid: sidField.optional().describe('One VM.'),
};

export const outageCreate = operation({
  name: 'outage.create',
  summary: 'Say that something was, or is, down: nobody pays for the time',
  description:
    'Name one: a node, a machine of the pool, a host, or a VM. Of a node, records of the time are refused while the outage stands, what was charged ' +
    'is taken back and what waits to be billed is written off. For each VM its share of the plan’s price for the time goes to the wallet, once, ' +
    'whatever other outage names the same time. Leave `until` out while it goes on, and end it with `outage.end`. With `dry_run` nothing is written.',
  http: { method: 'post', path: '/v1/outages', status: 201 },
  access: 'operator',
  right: 'money',
  idempotency: 'optional',
  input: z.strictObject({
    ...subjectInput,
    from: instant.describe('When it went down; not ahead of now.'),
    until: instant.optional().describe('When it was up again; not ahead of now. Left out: it goes on.'),
    reason: textField(200),
    dry_run: z.boolean().default(false),
  }),
  output: z.object({
    outage: outageSchema.nullable().describe('Null for a dry run.'),
    preview: outagePreviewSchema.nullable().describe('Null but for a dry run.'),
  }),
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, input) {
    const { house, actor } = call;
    const { ports } = house;
    const of = await subjectOf(house.db, input);
    if (isRefusal(of)) return of;
    const now = ports.clock.now();
    const [from, until] = [new Date(input.from), input.until === undefined ? null : new Date(input.until)];
    const wrong = wrongTime({ from, until }, now);
    // Kept as the key's answer: a minute later the same request would not be wrong any more.
    if (wrong) return await call.commit(() => Promise.resolve(wrong));
    await readyToEnd(house, of.subject);
    if (input.dry_run) return { outage: null, preview: await previewOutage(house, of, { from, until: until ?? now }) };
    const moving = until === null ? 0n : await movedBy(call, of, { from, until });
    if (isRefusal(moving)) return moving;
    return await call.commit(async (tx) => {
      const row: OutageRow = {
        sid: ports.ids.sid(),
        ...of,
        state: 'open',
        fromAt: from,
        untilAt: null,
        reason: input.reason,
        source: 'operator',
        createdAt: now,
        createdBy: actor.id,
        correction: null,
        cursor: 0n,
        vms: 0,
        returned: ZERO,
        cancelledAt: null,
      };
      if (!(await insertOutage(tx, row))) return goesOn(of);
      const after = { subject: of.subject, subject_ref: of.subjectRef, from: input.from, until: input.until ?? null };
      await recordAudit(tx, call, { action: 'outage.create', subject: row.sid, reason: input.reason, after });
      const ended = until === null ? row : await endOpen(tx, house, call, row, until);
      await countMoved(tx, call, moving);
      return { outage: toOutage(ended), preview: null };
    });
  },
});

const goesOn = ({ subject, subjectRef }: Subject): Refusal =>
  refuse('state_conflict', 'An outage of it goes on. End that one first.', {
    details: { subject, subject_ref: subjectRef },
  });

/** What it would move, as it stands now, for the daily limit of whoever asks. */
export async function movedBy(
  call: Call,
  of: Subject,
  span: { readonly from: Date; readonly until: Date },
): Promise<bigint | Refusal> {
  if (!hasDailyLimit(call)) return 0n;
  const { usage, returned, is_complete: isComplete } = await previewOutage(call.house, of, span);
  if (isComplete) return parseDecimal(usage?.sum_moved ?? returned) ?? 0n;
  return refuse('amount_out_of_range', 'This is more than your daily limit can be held against: an admin can do it.');
}

const FIELDS = { end: 'until', start: 'from' } as const;

/** Nothing can be proved of a time that has not been. */
export function wrongTime(
  { from, until }: { readonly from: Date; readonly until: Date | null },
  now: Date,
): Refusal | null {
  const wrong = (field: 'start' | 'end', detail: string): Refusal =>
    refuse('invalid_request', 'The time of an outage lies in the past.', {
      errors: [{ pointer: `#/${FIELDS[field]}`, detail }],
    });
  if (from > now) return wrong('start', 'must not be ahead of now');
  if (until !== null && until > now) return wrong('end', 'must not be ahead of now');
  if (until !== null && from >= until) return wrong('start', 'must be before its end');
  return null;
}

interface Chosen {
  readonly node_sid?: string | undefined;
  readonly machine_sid?: string | undefined;
  readonly host?: string | undefined;
  readonly allocation_sid?: string | undefined;
}

async function subjectOf(tx: Tx, chosen: Chosen): Promise<Subject | Refusal> {
  const { node_sid: node, machine_sid: machine, host, allocation_sid: allocation } = chosen;
  const given = [node, machine, host, allocation].filter((value) => value !== undefined);
  const [subjectRef] = given;
  if (given.length !== 1 || subjectRef === undefined) {
    const errors = [{ pointer: '#/node_sid', detail: 'give one of node_sid, machine_sid, host and allocation_sid' }];
    return refuse('invalid_request', 'Say what was down, one thing at a time.', { errors });
  }
  if (node !== undefined && !(await readNode(tx, node))) return refuse('not_found', 'There is no node with this sid.');
  if (machine !== undefined && !(await readMachineSid(tx, machine)))
    return refuse('not_found', 'There is no machine with this sid.');
  if (allocation !== undefined && !(await readAllocationSid(tx, allocation)))
    return refuse('not_found', 'There is no VM with this sid.');
  const subject =
    node !== undefined ? 'node' : machine !== undefined ? 'machine' : host === undefined ? 'allocation' : 'host';
  return { subject, subjectRef };
}
