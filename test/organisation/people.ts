import type { App } from '../../src/http/context.ts';
import { answerOf, type Answer, type TestSite } from '../transport/site.ts';

/** Somebody who is signed in. */
export interface Person {
  readonly userSid: string;
  readonly walletSid: string;
  readonly headers: Record<string, string>;
  readonly as: (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>;
}

export interface Shared {
  readonly sid: string;
  readonly walletSid: string;
}

let names = 0;

export async function signIn(site: TestSite, name = `Person ${(names += 1)}`): Promise<Person> {
  const { status, json, text } = await site.call('POST', '/login/sandbox', { body: { name } });
  if (status !== 200) throw new Error(text);
  const headers = { authorization: `Bearer ${String(json['token'])}` };
  return {
    userSid: String(json['user_sid']),
    walletSid: String(json['wallet_sid']),
    headers,
    as: (method, path, body, key) =>
      site.call(method, path, {
        headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) },
        ...(body === undefined ? {} : { body }),
      }),
  };
}

/** An organisation of this owner, with so many cents in its wallet. */
export async function openOrganisation(site: TestSite, owner: Person, cents = 0): Promise<Shared> {
  const { json } = await owner.as('POST', '/v1/organisations', { name: 'Ada & Friends' });
  const walletSid = String(json['wallet_sid']);
  if (cents !== 0) await site.operator('POST', '/admin/balance-adjust', { sid: walletSid, balance_cents: cents });
  return { sid: String(json['sid']), walletSid };
}

export async function invite(owner: Person, sid: string, wish: Record<string, unknown>): Promise<string> {
  const { json } = await owner.as('POST', `/v1/organisations/${sid}/invitations`, wish);
  return String(json['token']);
}

export async function join(owner: Person, sid: string, guest: Person, wish: Record<string, unknown>): Promise<void> {
  const answer = await guest.as('POST', '/v1/invitations/accept', { token: await invite(owner, sid, wish) });
  if (answer.status !== 200) throw new Error(answer.text);
}

/** As {@link Person.as}, at another process. */
export const through = async (app: App, who: Person, path: string, body: unknown, key: string): Promise<Answer> =>
  answerOf(
    await app.request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'idempotency-key': key, ...who.headers },
    }),
  );

export const itemsIn = ({ json }: Answer): Record<string, unknown>[] => json['items'] as Record<string, unknown>[];
