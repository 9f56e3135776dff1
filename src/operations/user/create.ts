import { z } from 'zod';
import { readOverlayAddress } from '../../domain/challenge/overlay-address.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { recordAudit } from '../audit/record.ts';
import { billingSchema, toBilling } from '../billing/billing.ts';
import { operation } from '../operation.ts';
import { textField } from '../schema.ts';
import { openUserWithWallet, type NewUser } from './open-wallet.ts';
import { toUser, userSchema } from './user.ts';

export const userCreate = operation({
  name: 'user.create',
  summary: 'Add a user with an empty wallet',
  http: { method: 'post', path: '/v1/users', status: 201 },
  access: 'operator',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({
    display_name: textField(100).default('Unnamed'),
    forge_id: textField(255).optional(),
    mycelium_address: textField(64).optional(),
  }),
  output: z.object({ ...userSchema.shape, billing: billingSchema }),
  refusals: ['invalid_request', 'state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const identities = identitiesOf(input);
    if (isRefusal(identities)) return identities;
    return db.transaction('user.create', async (tx) => {
      const opened = await openUserWithWallet(tx, ports, {
        displayName: input.display_name,
        identities,
      });
      if (!opened) return refuse('state_conflict', 'Another user already has this forge_id or mycelium_address.');
      await recordAudit(tx, call, {
        action: 'user.create',
        subject: opened.user.sid,
        after: { wallet_sid: opened.wallet.sid },
      });
      return { ...toUser(opened.user), billing: toBilling(opened.wallet) };
    });
  },
});

/** The forge's issuer is known when the user first comes; until then the number alone stands for it. */
function identitiesOf(input: {
  readonly forge_id?: string | undefined;
  readonly mycelium_address?: string | undefined;
}): NewUser['identities'] | Refusal {
  const { forge_id: forgeId, mycelium_address: given } = input;
  const address = given === undefined ? null : readOverlayAddress(given);
  if (address !== null && 'problem' in address) {
    const { problem } = address;
    return refuse('invalid_request', problem, { errors: [{ pointer: '#/mycelium_address', detail: problem }] });
  }
  return [
    ...(forgeId === undefined ? [] : [{ kind: 'forge', issuer: 'forge', subject: forgeId, label: forgeId } as const]),
    ...(address === null
      ? []
      : [{ kind: 'mycelium', issuer: 'mycelium', subject: address.node, label: address.text } as const]),
  ];
}
