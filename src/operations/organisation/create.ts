import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { refusalOfAnother } from '../../domain/organisation/member.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { insertMembership, lockMembers, readMembershipsOf } from '../../store/membership.ts';
import { insertOrganisation, readOrganisation } from '../../store/organisation.ts';
import { insertWallet } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { nameField, organisationSchema, personOf, toOrganisation } from './organisation.ts';

export const organisationCreate = operation({
  name: 'organisation.create',
  summary: 'Open an organisation with a wallet that its members share',
  description: 'Who creates it is its first owner.',
  http: { method: 'post', path: '/v1/organisations', status: 201 },
  access: 'user',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ name: nameField }),
  output: organisationSchema,
  refusals: ['forbidden', 'state_conflict'],
  async run(call, input) {
    const userSid = personOf(call.actor);
    if (isRefusal(userSid)) return userSid;
    const { db, ports } = call.house;
    return db.transaction('organisation.create', async (tx) => {
      await lockMembers(tx, [userSid]);
      const refused = refusalOfAnother((await readMembershipsOf(tx, userSid)).size);
      if (refused) return refused;
      const createdAt = ports.clock.now();
      const sid = ports.ids.sid();
      await insertOrganisation(tx, { sid, name: input.name, createdAt });
      await insertWallet(tx, { sid: ports.ids.sid(), userSid: sid, currency: 'USD', createdAt });
      const owner = { organisationSid: sid, userSid, role: 'owner', monthlyCap: null, joinedAt: createdAt } as const;
      await insertMembership(tx, owner);
      const made = await readOrganisation(tx, sid);
      assert(made !== null, 'the organisation was just added');
      await recordAudit(tx, call, {
        action: 'organisation.create',
        subject: sid,
        after: { wallet_sid: made.walletSid, owner_sid: userSid },
      });
      return toOrganisation(made, 'owner');
    });
  },
});
