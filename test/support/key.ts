import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { keyCreate } from '../../src/operations/key/create.ts';
import type { KeyScope } from '../../src/domain/identity/role.ts';

export interface UserKey {
  readonly sid: string;
  /** The key itself. */
  readonly text: string;
  /** With which it is sent. */
  readonly headers: { readonly authorization: string };
}

export const bearer = (text: string): UserKey['headers'] => ({ authorization: `Bearer ${text}` });

/** A key of a user, or of an organisation, as its owner makes it. */
export async function makeUserKey(
  house: House,
  ownerSid: string,
  scopes: readonly KeyScope[] = ['read'],
  more: { readonly name?: string; readonly expires_at?: string } = {},
): Promise<UserKey> {
  const reply = await execute(house, keyCreate, {
    actor: { kind: 'user', id: `user:${ownerSid}`, userSid: ownerSid },
    input: { name: 'a script', scopes, ...more },
    idempotencyKey: null,
    requestId: house.ports.ids.requestId(),
  });
  const made = JSON.parse(reply.body) as { sid: string; key: string };
  if (reply.status !== 201) throw new Error(`no key was made: ${reply.body}`);
  return { sid: made.sid, text: made.key, headers: bearer(made.key) };
}
