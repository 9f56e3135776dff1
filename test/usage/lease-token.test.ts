import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyLease, type LeaseKeys } from '../../client/lease.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, openProcess, post, reporting, type Node, type Reporting } from './reporting.ts';

const UNKNOWN = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
let site: TestSite;
let usage: Reporting['usage'];
beforeAll(async () => {
  site = await testSite();
  ({ usage } = reporting(site));
});
afterAll(() => closeSound(site));

const grant = (node: Node, body: Record<string, unknown>): Promise<Answer> =>
  post(site.app, '/v1/leases', { amount: '5', ...body }, { ...node.headers, 'idempotency-key': 'grant' });
const sidOf = ({ json }: Answer): string => (json['lease'] as { sid: string }).sid;
/** What the wallet may spend, and what is set aside. */
const stateOf = async (sid: string): Promise<string> => {
  const { json } = await site.operator('GET', `/v1/billings/${sid}`);
  return `${String(json['credit_balance'])} + ${String(json['reserved'])}`;
};
const publicKeys = async (): Promise<LeaseKeys> =>
  (await site.call('GET', '/.well-known/jwks.json')).json as unknown as LeaseKeys;

describe('the token of a lease', () => {
  test('is verified without us, for its node, until it ends; a forged or altered one is not', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const granted = await grant(node, { user_sid: userSid, seconds: 600 });
    const token = String(granted.json['token']);
    const known = await publicKeys();
    const now = site.ports.clock.now();
    const verify = (text: string, more: { nodeSid?: string; now?: Date } = {}, by = known) =>
      verifyLease(text, by, { nodeSid: node.sid, now, ...more });
    const expiresAt = new Date(now.getTime() + 600_000);
    expect(await verify(token)).toEqual({
      kind: 'valid',
      lease: {
        leaseSid: sidOf(granted),
        nodeSid: node.sid,
        userSid,
        walletSid: sid,
        amount: '5.00',
        issuedAt: now,
        expiresAt,
      },
    });
    expect(await verify(token, { now: expiresAt })).toEqual({ kind: 'invalid', fault: 'expired' });
    expect(await verify(token, { nodeSid: UNKNOWN })).toEqual({ kind: 'invalid', fault: 'of_another_node' });
    const [head = '', body = '', signature = ''] = token.split('.');
    const altered = (from: string, to: string, part = body): string =>
      Buffer.from(Buffer.from(part, 'base64url').toString().replace(from, to)).toString('base64url');
    const other = await testSite({ settings: { sessionKey: 'another session key that signs something else' } });
    const theirs = (await other.call('GET', '/.well-known/jwks.json')).json as unknown as LeaseKeys;
    await other.close();
    const swapped = { keys: known.keys.map(({ kid }) => ({ kid, x: theirs.keys[0]?.x ?? '' })) };
    for (const [text, fault, by] of [
      [`${head}.${altered('"5.00"', '"9.00"')}.${signature}`, 'forged', known],
      [`${head}.${altered(userSid, UNKNOWN)}.${signature}`, 'forged', known],
      [`${head}.${body}.${'A'.repeat(signature.length)}`, 'forged', known],
      [token, 'forged', swapped],
      [token, 'unknown_key', theirs],
      [`${altered('EdDSA', 'none', head)}.${body}.`, 'malformed', known],
      [`${altered('EdDSA', 'HS256', head)}.${body}.${signature}`, 'malformed', known],
      [`${token}.x`, 'malformed', known],
      ['', 'malformed', known],
      ['..', 'malformed', known],
      [`${head}.bm90IGpzb24.${signature}`, 'malformed', known],
    ] as const) {
      expect([text, await verify(text, {}, by)]).toEqual([text, { kind: 'invalid', fault }]);
    }
  });
});

test('an outage neither stops the work nor gives it away: a node works on its lease and is charged afterwards, once', async () => {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(1_000);
  const proxy = await faultProxy(site.database.url);
  const { app, lanes } = openProcess(site, 10_000, proxy.url);
  const send = (path: string, body: unknown): Promise<Answer> =>
    post(app, path, body, { 'idempotency-key': 'outage', ...node.headers });
  const known = await publicKeys();
  const granted = await send('/v1/leases', { user_sid: userSid, amount: '5', seconds: 7_200 });
  const lease = sidOf(granted);
  proxy.set('reset');
  await site.ports.clock.advance(HOUR_MS);
  const records = [usage(userSid, { lease, quantity: '20', seq: 1 })];
  // The database is away, and with it the service: the connections that were open break too.
  await site.database.owner.query({
    name: 'test.break',
    text: `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename is not null and pid <> pg_backend_pid() and state = 'idle'`,
  });
  const away = await send(`/v1/leases/${lease}/settle`, { records });
  expect([away.status, Number(away.headers.get('retry-after')) > 0]).toEqual([503, true]);
  const mayWork = await verifyLease(String(granted.json['token']), known, {
    nodeSid: node.sid,
    now: site.ports.clock.now(),
  });
  expect(mayWork).toMatchObject({ kind: 'valid', lease: { amount: '5.00', userSid } });
  records.push(usage(userSid, { lease, quantity: '5', seq: 2 }));
  await site.ports.clock.advance(HOUR_MS / 2);
  proxy.set('none');
  const settled = await send(`/v1/leases/${lease}/settle`, { records });
  expect([settled.status, settled.json['lease']]).toMatchObject([200, { state: 'released', drawn: '2.75' }]);
  expect((await send(`/v1/leases/${lease}/settle`, { records })).status).toBe(200);
  expect(await stateOf(sid)).toBe('7.25 + 0.00');
  await lanes.close();
  await proxy.close();
});
