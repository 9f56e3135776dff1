import { PUBLIC_KEY } from '../allocation/public-key.ts';
import { micros } from '../../src/domain/money.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { operationByName } from '../../src/operations/registry.ts';
import { issueReceipts } from '../../src/operations/receipt/issue.ts';
import { dispute } from '../support/paper-dispute.ts';
import { PaperBank } from '../support/paper-bank.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import type { TestSite } from '../transport/site.ts';
import { signIn, type Person } from './people.ts';

/** What one person has, by the name of the field that asks for it. */
export type Belongings = Readonly<Record<string, string | number>> & { readonly user_sid: string };

/** A sid in good order that is nothing's. */
export const ABSENT = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';

/** Anybody may redeem it, often. */
export const CODE = 'MATRIX-2026';

/** Who calls: what a client of theirs sends. */
export type Callers = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Stage {
  readonly house: House;
  readonly own: Belongings;
  readonly other: Belongings;
  readonly callers: Callers;
  /** What those who come with an organisation ask about instead of the first one's own. */
  readonly ownOf: Readonly<Record<string, Belongings>>;
}

const ADMIN: Actor = { kind: 'operator', id: 'admin:adm_1', role: 'admin', userSid: null };
const ENDPOINT = { url: 'http://127.0.0.1:9/events', description: 'an endpoint' };
const USAGE = { applies_to: 'hero_os_hourly', resource_kind: 'small', quantity: '1' };

/** Two people who have one of everything, and every kind of caller. The first is who calls as a user. */
export async function setStage(site: TestSite): Promise<Stage> {
  const bank = new PaperBank();
  const house: House = { ...site.house, providers: new Map([[bank.name, bank.asProvider(site.ports)]]) };
  // Signed in too long ago for money and secrets, and not long enough to be over.
  const stale = {
    user: await signIn(site, 'Ada'),
    admin: await signIn(site, 'Old admin', 'admin'),
  };
  await site.ports.clock.advance(11 * 60_000);
  const [ada, grace] = [await signIn(site, 'Ada'), await signIn(site, 'Grace')];
  const [own, other] = [await furnish(site, house, bank, ada), await furnish(site, house, bank, grace)];
  await made(
    site.operator('POST', '/v1/codes', {
      code: CODE,
      description: 'x',
      amount: '1.00',
      uses_max: 1_000,
      uses_per_user_max: 100,
    }),
  );
  const revokedNode = await site.node();
  await site.operator('POST', `/v1/nodes/${revokedNode.sid}/revoke`, {});
  const gone = await signIn(site, 'Ada');
  await site.call('POST', '/logout', { headers: gone.headers });
  const barred = await signIn(site, 'Barred');
  await site.operator('POST', `/v1/users/${barred.userSid}/disable`, { reason: 'x' });
  const as = async (role: 'support' | 'auditor' | 'finance' | 'admin'): Promise<Record<string, string>> => ({
    ...(await signIn(site, `A ${role}`, role)).headers,
  });
  const viewer = await signIn(site, 'A viewer', 'admin');
  await made(site.call('POST', `/v1/users/${ada.userSid}/view-as`, { body: { reason: 'x' }, headers: viewer.headers }));
  const callers: Callers = {
    anonymous: {},
    user: ada.headers,
    'user (stale)': stale.user.headers,
    support: await as('support'),
    auditor: await as('auditor'),
    finance: await as('finance'),
    admin: await as('admin'),
    'admin (stale)': stale.admin.headers,
    'key (read)': { authorization: String(own['key_read']) },
    'key (top_up)': { authorization: String(own['key_top_up']) },
    'key (spend)': { authorization: String(own['key_spend']) },
    'revoked key': { authorization: String(own['key_revoked']) },
    viewer: viewer.headers,
    'admin secret': { 'x-hero-onboarding-admin-secret': 'test-admin-secret-of-thirty-two-bytes-and-more' },
    node: { authorization: String(own['node_authorization']) },
    'revoked node': revokedNode.headers,
    'ended session': gone.headers,
    'barred user': barred.headers,
  };
  const organisation: Belongings = {
    ...own,
    user_sid: own['organisation_sid'] ?? '',
    wallet_sid: own['organisation_wallet_sid'] ?? '',
  } as Belongings;
  const members: Callers = {
    'org viewer': (await joining(site, ada, organisation.user_sid, 'viewer')).headers,
    'org member': (await signIn(site, `member of ${organisation.user_sid}`)).headers,
    'org owner': ada.headers,
  };
  const ownOf = Object.fromEntries(Object.keys(members).map((name) => [name, organisation]));
  return { house, own, other, callers: { ...callers, ...members }, ownOf };
}

/** Somebody new in an organisation of this owner. */
async function joining(site: TestSite, owner: Person, sid: string, role: 'viewer' | 'member'): Promise<Person> {
  const person = await signIn(site, `${role} of ${sid}`);
  const wish = { body: { role }, headers: owner.headers };
  const { token } = await made(site.call('POST', `/v1/organisations/${sid}/invitations`, wish));
  await made(site.call('POST', '/v1/invitations/accept', { body: { token }, headers: person.headers }));
  return person;
}

async function furnish(site: TestSite, house: House, bank: PaperBank, person: Person): Promise<Belongings> {
  const { walletSid, userSid, headers } = person;
  const asOperator = (path: string, body: unknown): Promise<Record<string, unknown>> =>
    made(site.operator('POST', path, body, { 'idempotency-key': `${path}#${userSid}` }));
  await asOperator('/admin/balance-adjust', { sid: walletSid, balance_cents: 10_000 });
  const hold = await asOperator('/v1/holds', { wallet_sid: walletSid, amount: '1.00', description: 'x' });
  const plan = await asOperator('/plan/buy', { sid: walletSid, plan: 'vm-5' });
  const machine = { host: 'x', address: `${walletSid.toLowerCase()}.example.org`, size: 'small' };
  await asOperator('/v1/machines', { machines: [machine] });
  const sshKey = await made(site.call('POST', '/v1/ssh-keys', { body: { public_key: PUBLIC_KEY }, headers }));
  const keyed = { ...headers, 'idempotency-key': `allocation#${userSid}` };
  const vm = await made(site.call('POST', '/v1/allocations', { body: { name: 'x' }, headers: keyed }));
  const node = await site.node();
  const asNode = (path: string, body: unknown): Promise<Record<string, unknown>> =>
    made(site.call('POST', path, { body, headers: { ...node.headers, 'idempotency-key': `${path}#${userSid}` } }));
  const lease = await asNode('/v1/leases', { user_sid: userSid, amount: '1.00' });
  const occurredAt = site.ports.clock.now().toISOString();
  await asNode('/v1/usage', {
    records: [{ ...USAGE, idempotency_key: 'x', user_sid: userSid, occurred_at: occurredAt }],
  });
  const key = async (scopes: readonly string[]): Promise<Record<string, unknown>> =>
    made(site.call('POST', '/v1/keys', { body: { name: scopes.join(), scopes }, headers }));
  const keys = { read: await key(['read']), top_up: await key(['top_up']), spend: await key(['spend']) };
  const revoked = await key(['read', 'top_up', 'spend']);
  await made(site.call('POST', `/v1/keys/${String(revoked['sid'])}/revoke`, { body: {}, headers }));
  const organisation = await made(site.call('POST', '/v1/organisations', { body: { name: 'x' }, headers }));
  const organisationSid = String(organisation['sid']);
  const inviting = { body: { role: 'viewer' }, headers };
  const invitation = await made(site.call('POST', `/v1/organisations/${organisationSid}/invitations`, inviting));
  const endpoint = await made(site.call('POST', '/v1/endpoints', { body: ENDPOINT, headers }));
  const endpointSid = String(endpoint['sid']);
  const delivery = await made(site.call('POST', `/v1/endpoints/${endpointSid}/test`, { body: {}, headers }));
  const payment = await topUp(house, bank, walletSid);
  await disputed(house, bank, await topUp(house, bank, walletSid));
  const refund = await ask(house, 'refund.create', { payment_sid: payment, amount: '1.00', reason: 'x' });
  const statement = await made(site.operator('GET', `/v1/billings/${walletSid}/statement?limit=100`));
  const used = (statement['items'] as { kind: string; seq: number }[]).find(({ kind }) => kind === 'usage');
  const firstOf = async (path: string): Promise<string> => {
    const { items } = (await made(site.call('GET', path, { headers }))) as { items: { sid: string }[] };
    if (items[0] === undefined) throw new Error(`nothing at ${path}`);
    return items[0].sid;
  };
  const receipt = await firstOf('/v1/receipts');
  // The file is made once; the next download only reads it.
  await made(site.call('GET', `/v1/receipts/${receipt}/file`, { headers }));
  return {
    user_sid: userSid,
    wallet_sid: walletSid,
    session_sid: person.sessionSid,
    identity_sid: await firstOf(`/v1/users/${userSid}/identities`),
    hold_sid: String(hold['sid']),
    subscription_sid: (plan['subscription'] as { sid: string }).sid,
    allocation_sid: String(vm['sid']),
    ssh_key_sid: String(sshKey['sid']),
    node_sid: node.sid,
    node_authorization: node.headers['authorization'] ?? '',
    organisation_sid: organisationSid,
    member_sid: (await joining(site, person, organisationSid, 'member')).userSid,
    organisation_wallet_sid: String(organisation['wallet_sid']),
    invitation_sid: String((invitation['invitation'] as { sid: string } | undefined)?.sid ?? invitation['sid']),
    key_sid: String(keys.read['sid']),
    key_read: `Bearer ${String(keys.read['key'])}`,
    key_top_up: `Bearer ${String(keys.top_up['key'])}`,
    key_spend: `Bearer ${String(keys.spend['key'])}`,
    key_revoked: `Bearer ${String(revoked['key'])}`,
    lease_sid: (lease['lease'] as { sid: string }).sid,
    endpoint_sid: endpointSid,
    delivery_sid: String(delivery['sid']),
    payment_sid: payment,
    refund_sid: refund,
    receipt_sid: receipt,
    dispute_sid: await firstOf('/v1/disputes'),
    seq: used?.seq ?? 0,
  };
}

/** Paid, and with a receipt. */
async function topUp(house: House, bank: PaperBank, walletSid: string): Promise<string> {
  const sid = await ask(house, 'payment.create', { provider: bank.name, amount: '25.00', wallet_sid: walletSid });
  bank.pay(sid);
  await settlePayment(house, sid, ownCause(house, 'webhook'));
  await issueReceipts(house);
  return sid;
}

/** The bank takes a part of it back. */
async function disputed(house: House, bank: PaperBank, sid: string): Promise<void> {
  dispute(bank, sid, { amount: micros(1_000_000n) });
  await settlePayment(house, sid, ownCause(house, 'webhook'));
}

async function ask(house: House, name: string, input: Record<string, unknown>): Promise<string> {
  const operation = operationByName(name);
  if (operation === undefined) throw new Error(`there is no ${name}`);
  const requestId = house.ports.ids.requestId();
  const reply = await execute(house, operation, { actor: ADMIN, input, idempotencyKey: requestId, requestId });
  if (reply.status >= 300) throw new Error(`${name}: ${reply.body}`);
  return (JSON.parse(reply.body) as { sid: string }).sid;
}

async function made(answer: ReturnType<TestSite['call']>): Promise<Record<string, unknown>> {
  const { status, json } = await answer;
  if (status >= 300) throw new Error(JSON.stringify(json));
  return json;
}
