import { z } from 'zod';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { readGrant } from '../../store/grant.ts';
import { lockAhead } from '../../store/ledger.ts';
import { recordAudit } from '../audit/record.ts';
import { operation, type Call } from '../operation.ts';
import { countMoved } from '../operator/daily-limit.ts';
import { rehearse } from '../rehearse.ts';
import { sidField, textField } from '../schema.ts';
import { endGrant } from './end.ts';
import { grantSchema, toGrant } from './grant.ts';

export const grantRevoke = operation({
  name: 'grant.revoke',
  summary: 'Take back what is left of credit that was given',
  description:
    'What was paid with it stays paid, and what a hold has set aside of it stays good for that hold. With dry_run nothing is written.',
  http: { method: 'post', path: '/v1/grants/{sid}/revoke', status: 200 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({
    sid: sidField,
    reason: textField(500).describe('Why; kept in the audit row.'),
    dry_run: z.boolean().optional().describe('Only say what would happen.'),
  }),
  output: grantSchema,
  refusals: ['not_found', 'state_conflict', 'amount_out_of_range'],
  async run(call, { sid, reason, dry_run: isDryRun }) {
    const revoke = (tx: Tx) => revokeGrant(tx, call, sid, reason);
    return await (isDryRun ? rehearse(call.house.db, 'grant.revoke_preview', revoke) : call.commit(revoke));
  },
});

async function revokeGrant(tx: Tx, call: Call, sid: string, reason: string) {
  const found = await readGrant(tx, sid);
  if (!found) return noGrant();
  await lockAhead(tx, [liveAccount(found.wallet, 'wallet')]);
  const grant = await readGrant(tx, sid);
  if (!grant) return noGrant();
  if (grant.state !== 'open') return refuse('state_conflict', `The grant is ${grant.state} already.`);
  const taken = await endGrant(tx, call.house, grant, 'revoked');
  const after = { wallet_sid: grant.walletSid, taken_back: formatDecimal(taken ?? grant.left) };
  await recordAudit(tx, call, { action: 'grant.revoke', subject: sid, reason, after });
  await countMoved(tx, call, taken ?? 0n);
  const revoked = await readGrant(tx, sid);
  return revoked ? toGrant(revoked) : noGrant();
}

const noGrant = (): Refusal => refuse('not_found', 'There is no grant with this sid.');
