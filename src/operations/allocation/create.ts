import { z } from 'zod';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { lockAllocation, readAllocationByIdem, type AllocationRow } from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import { listSshKeys } from '../../store/ssh-key.ts';
import { assert } from '../../domain/assert.ts';
import { keyInProgress } from '../idempotency-key.ts';
import { operation, type Call } from '../operation.ts';
import { spenderOf } from '../organisation/spender.ts';
import { readTarget } from '../payment/create.ts';
import { sidField } from '../schema.ts';
import { SSH_KEYS_MAX } from '../ssh-key/ssh-key.ts';
import { allocationSchema, readerOf, toAllocation } from './allocation.ts';
import { askProvisioner } from './ask.ts';
import { writeAnswer } from './converge.ts';
import { openIntent, refusalOf, type VmWish } from './request.ts';

export const nameField = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9 and hyphen')
  .describe('What its owner calls it, and what it is told that it is called.');

export const stopOrderField = z
  .int()
  .min(0)
  .max(1_000)
  .describe('Which is stopped first when the wallet runs dry: the lowest number; of equal ones the newest.');

export const allocationCreate = operation({
  name: 'allocation.create',
  summary: 'Ask for a VM of the plan',
  description:
    'Takes one of the VMs of the plan that the wallet has; it costs nothing more. The intent is stored first, then a VM is asked for. When that ' +
    'cannot say whether there is one, the answer is a VM in state `requested`, and it is asked until it is known. The VM lives as long as the ' +
    'plan is paid.',
  http: { method: 'post', path: '/v1/allocations', status: 201 },
  access: 'user',
  right: 'work',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe("The wallet whose plan it takes; the caller's own when left out."),
    name: nameField,
    ssh_key_sids: z
      .array(sidField)
      .max(SSH_KEYS_MAX)
      .optional()
      .describe(
        'SSH keys that may come in; left out: all of whoever asks. None: an empty list. They cannot be changed afterwards.',
      ),
    stop_order: stopOrderField.default(0),
  }),
  output: allocationSchema,
  refusals: [
    'not_found',
    'no_plan',
    'wallet_suspended',
    'quota_reached',
    'pool_empty',
    'state_conflict',
    'idempotency_key_reused',
    'provider_error',
  ],
  async run(call, input) {
    const { house, actor } = call;
    const wish = await readWish(call, input);
    if (isRefusal(wish)) return wish;
    const intent = await house.db.transaction('allocation.intent', (tx) => openIntent(tx, house, wish, call));
    if (isRefusal(intent)) return KEPT.has(intent.code) ? await keepRefusal(call, intent) : intent;
    const told = intent.state === 'requested' ? await askProvisioner(house, intent) : null;
    return await call.commit(async (tx) => {
      const row = told ? await writeAnswer(tx, house, intent, told) : await lockIntent(tx, intent);
      return refusalOf(row) ?? toAllocation(row, readerOf(actor));
    });
  },
});

async function lockIntent(tx: Tx, { sid }: AllocationRow): Promise<AllocationRow> {
  const row = await lockAllocation(tx, sid);
  assert(row !== null, 'an allocation is never deleted');
  return row;
}

const KEPT: ReadonlySet<string> = new Set(['no_plan', 'wallet_suspended', 'quota_reached', 'state_conflict']);

/** What is refused stays refused under its key; unless the same call, made elsewhere, has found room in between. */
const keepRefusal = async (call: Call, refusal: Refusal): Promise<Refusal> =>
  await call.commit(async (tx) => ((await readAllocationByIdem(tx, call.idem)) ? keyInProgress() : refusal));

interface Input {
  readonly wallet_sid?: string | undefined;
  readonly name: string;
  readonly ssh_key_sids?: readonly string[] | undefined;
  readonly stop_order: number;
}

async function readWish(call: Call, input: Input): Promise<VmWish | Refusal> {
  const { house, actor, idem, fingerprint } = call;
  const wallet = await readTarget(call, input.wallet_sid);
  if (isRefusal(wallet)) return wallet;
  const spender = await spenderOf(house.db, actor, wallet.userSid);
  if (isRefusal(spender)) return spender;
  const userSid = actor.kind === 'user' ? actor.userSid : wallet.userSid;
  const sshKeys = await readKeys(house.db, userSid, input.ssh_key_sids);
  if (isRefusal(sshKeys)) return sshKeys;
  return { wallet: wallet.id, userSid, name: input.name, sshKeys, stopOrder: input.stop_order, idem, fingerprint };
}

/** Nobody else's: whoever names a key that is not theirs is told that there is none. */
async function readKeys(
  tx: Tx,
  userSid: string,
  sids: readonly string[] | undefined,
): Promise<readonly string[] | Refusal> {
  const own = await listSshKeys(tx, { userSid, before: null, limit: SSH_KEYS_MAX });
  if (sids === undefined && own.length === 0)
    return refuse(
      'state_conflict',
      'Nobody could reach the VM: add an SSH key first, or ask for a VM without one (ssh_key_sids: []).',
    );
  const chosen = sids === undefined ? own : own.filter(({ sid }) => sids.includes(sid));
  const isMissing = sids?.some((sid) => !own.some((key) => key.sid === sid)) ?? false;
  if (isMissing) return refuse('not_found', 'There is no SSH key with one of these sids.');
  return chosen.map(({ publicKey }) => publicKey);
}
