import { z } from 'zod';
import { obstaclesOf, type Obstacle } from '../../domain/erasure/obstacle.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { takeOverFreeze } from '../../store/dispute.ts';
import {
  clearDefaultCards,
  lockCardsOf,
  dropPersonal,
  dueReceiptsOf,
  lockForErasure,
  markErased,
  readErasure,
  readErasureStanding,
  type ErasureRow,
} from '../../store/erasure.ts';
import { lockAutoRecharge } from '../../store/auto-recharge.ts';
import { listOpenGrants } from '../../store/grant.ts';
import { lockRoles } from '../../store/operator-role.ts';
import { lockAhead } from '../../store/ledger.ts';
import { lockOpenSubscription } from '../../store/subscription.ts';
import { setFrozen } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { switchOff } from '../auto-recharge/switch-off.ts';
import { erasureSchema, toErasure } from '../erasure/erasure.ts';
import { sweepErasure } from '../erasure/sweep.ts';
import { endGrant } from '../grant/end.ts';
import { isAdminLeft, lastAdmin } from '../operator/change-role.ts';
import { operation, type Call } from '../operation.ts';
import { issueOne } from '../receipt/issue.ts';
import { sidField, textField } from '../schema.ts';
import { endSubscription } from '../subscription/end.ts';
import { actsFor } from '../visible.ts';

export const userErase = operation({
  name: 'user.erase',
  summary: 'Delete an account: what is personal goes, the books stay',
  description:
    'Cannot be undone. Refused while money, or a decision about money, is open; erasure.get says what is in the way. Name, address of mail, ' +
    'identities, sessions, saved cards, endpoints and mails go, and a plan ends with its VMs; payments, receipts, the ledger and the audit trail stay. Whoever signs in ' +
    'with the same identity afterwards is a new user. Sent again it answers how far the erasure is.',
  http: { method: 'post', path: '/v1/users/{sid}/erase', status: 200 },
  access: 'user',
  right: 'people',
  proof: 'always',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    reason: textField(500).optional().describe('Why; kept in the audit row.'),
  }),
  output: erasureSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const before = actsFor(actor, input.sid) ? await readErasure(house.db, input.sid) : null;
    if (before === null) return notThere();
    // Documents carry the name of the day they are made on: those that wait for a number get it now.
    if (before.erasedAt === null)
      for (const sid of await dueReceiptsOf(house.db, before.wallet)) await issueOne(house, sid);
    const erased = await house.db.transaction('user.erase', (tx) => erase(tx, call, before, input.reason ?? null));
    if (isRefusal(erased)) return erased;
    // Kept where backups are not: whoever restores one knows by it whom to delete again.
    if (before.erasedAt === null) house.ports.log.info({ user_sid: input.sid }, 'an account was deleted');
    await sweepErasure(house, input.sid);
    return toErasure((await readErasure(house.db, input.sid)) ?? erased, []);
  },
});

const LIVE_KINDS = ['wallet', 'reserved', 'frozen'] as const;

const notYet = (obstacles: readonly Obstacle[]): Refusal =>
  refuse('state_conflict', `The account cannot be deleted yet. ${obstacles.map(({ message }) => message).join(' ')}`, {
    details: Object.fromEntries(obstacles.map(({ code, message }) => [code, message])),
  });

const notThere = (): Refusal => refuse('not_found', 'There is no user with this sid.');

/**
 * Locks from the outside in: the cards and their auto-recharge, the user, the plan, the wallet's accounts. Only then is it known that nothing is open,
 * and nothing can begin before the commit: a top-up waits for the user's row, everything else for the accounts, which are frozen for good.
 */
async function erase(
  tx: Tx,
  call: Call,
  { userSid, wallet, walletSid }: ErasureRow,
  reason: string | null,
): Promise<ErasureRow | Refusal> {
  const now = call.house.ports.clock.now();
  await lockRoles(tx);
  await lockCardsOf(tx, userSid);
  await lockAutoRecharge(tx, wallet);
  await lockForErasure(tx, userSid);
  const row = await readErasure(tx, userSid);
  if (row === null || row.erasedAt !== null) return row ?? notThere();
  if (!(await isAdminLeft(tx, call.house, userSid, { keepsOther: false }))) return lastAdmin();
  const plan = await lockOpenSubscription(tx, wallet);
  await lockAhead(
    tx,
    LIVE_KINDS.map((kind) => liveAccount(wallet, kind)),
  );
  const obstacles = obstaclesOf(await readErasureStanding(tx, row));
  if (obstacles.length > 0) return notYet(obstacles);
  if (plan) await endSubscription(tx, call.house, { subscription: plan.id, reason: 'erased', at: now });
  // Credit that nobody has paid for is in nobody's way: it ends with the account.
  for (const grant of await listOpenGrants(tx, wallet)) await endGrant(tx, call.house, grant, 'revoked');
  await clearDefaultCards(tx, userSid);
  await switchOff(tx, call, wallet, 'card_removed');
  await markErased(tx, userSid, now);
  await dropPersonal(tx, userSid, now);
  await takeOverFreeze(tx, wallet);
  await setFrozen(tx, wallet, true);
  const after = { wallet_sid: walletSid };
  await recordAudit(tx, call, { action: 'user.erase', subject: userSid, reason, after });
  return { ...row, erasedAt: now, nextSweepAt: now };
}
