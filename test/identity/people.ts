import type { OperatorRole } from '../../src/domain/identity/role.ts';
import type { TestSite } from '../transport/site.ts';

/** Somebody who is signed in, and what their program sends. */
export interface Person {
  readonly userSid: string;
  readonly walletSid: string;
  readonly sessionSid: string;
  readonly token: string;
  readonly headers: { readonly authorization: string };
}

/** Signs in by the sandbox's own way; a role is what an admin would have granted. */
export async function signIn(site: TestSite, name: string, role: OperatorRole | 'user' = 'user'): Promise<Person> {
  const { json } = await site.call('POST', '/login/sandbox', { body: { name, role } });
  const token = String(json['token']);
  return {
    userSid: String(json['user_sid']),
    walletSid: String(json['wallet_sid']),
    sessionSid: String(json['session_sid']),
    token,
    headers: { authorization: `Bearer ${token}` },
  };
}
