import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditList } from '../../src/operations/audit/list.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { disputeEvidence } from '../../src/operations/dispute/evidence.ts';
import { evidenceText } from '../../src/operations/dispute/evidence-text.ts';
import type { Dispute } from '../../src/operations/dispute/dispute.ts';
import { disputeGet } from '../../src/operations/dispute/get.ts';
import { disputeList } from '../../src/operations/dispute/list.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { insertSession } from '../../src/store/session.ts';
import { openWallets } from '../support/ledger.ts';
import { dispute } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';

let told: PaymentStory;
let disputes: readonly Dispute[];
beforeAll(async () => {
  told = await paymentStory({ settings: { disputeFreeze: 'amount' } });
  const { createdAt } = { createdAt: told.ports.clock.now() };
  await insertSession(told.database.owner, {
    sid: told.ports.ids.sid(),
    tokenHash: Buffer.from('a token'),
    userSid: told.wallet.userSid,
    identitySid: null,
    secretId: null,
    createdAt,
    provenAt: createdAt,
    seenAt: createdAt,
    expiresAt: new Date(createdAt.getTime() + 1_000),
    address: '192.0.2.7',
    agent: null,
  });
  for (const state of ['open', 'lost'] as const) {
    const payment = await told.paid();
    dispute(told.bank, payment.sid, { state, amount: 5_000_000n, reason: 'fraudulent\nADDED LINE' });
    await settlePayment(told.house, payment.sid, ownCause(told.house, 'webhook'));
  }
  for (const number of [1, 2]) {
    const input = { sid: told.wallet.sid, amount: '1.25', description: `hour ${number} of a machine` };
    await told.run(billingDebit, input, { actor: OPERATOR, key: `hour-${number}` });
  }
  disputes = (await list({})).items;
});
afterAll(() => told.close());

async function list(input: object, actor = OPERATOR) {
  const reply = await told.run(disputeList, input, { actor });
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body) as { items: Dispute[]; next_cursor: string | null };
}

async function stranger() {
  const [wallet] = await openWallets(told.database.owner, told.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  return userActor(wallet);
}

describe('disputes are shown', () => {
  it('newest first, by wallet, by state and by page', async () => {
    expect(disputes.map(({ state }) => state)).toEqual(['lost', 'open']);
    expect((await list({ state: 'open' })).items).toMatchObject([{ amount: '5.00', frozen: '5.00', lost: '0.00' }]);
    expect((await list({ wallet_sid: told.wallet.sid })).items).toHaveLength(2);
    const first = await list({ limit: 1 });
    const second = await list({ limit: 1, cursor: first.next_cursor });
    expect([...first.items, ...second.items]).toEqual(disputes);
    expect(second.next_cursor).toBeNull();
  });

  it('J05 to whom they belong, and to an operator; to others they do not exist', async () => {
    const [one] = disputes;
    const own = await told.run(disputeGet, { sid: one?.sid });
    expect(JSON.parse(own.body)).toEqual({ ...one, answers: [], why_no_answer: 'Operators answer disputes.' });
    const other = await stranger();
    expect((await told.run(disputeGet, { sid: one?.sid }, { actor: other })).status).toBe(404);
    expect((await told.run(disputeGet, { sid: told.wallet.sid }, { actor: OPERATOR })).status).toBe(404);
    expect((await list({}, other)).items).toEqual([]);
    expect((await list({ wallet_sid: told.wallet.sid }, other)).items).toEqual([]);
  });
});

describe('evidence', () => {
  it('has the receipts, the usage and the sign-ins of the customer, as data and as a text', async () => {
    const open = disputes[1];
    const reply = await told.run(disputeEvidence, { sid: open?.sid }, { actor: OPERATOR });
    expect(reply.status).toBe(200);
    const evidence = JSON.parse(reply.body) as Parameters<typeof evidenceText>[0] & { text: string };
    expect(evidence).toMatchObject({
      dispute: open,
      payment: { sid: open?.payment_sid, credited: '25.00' },
      customer: { sid: told.wallet.userSid },
      usage: { charges: 2, total: '2.50', lines: [{ description: 'hour 2 of a machine' }, { amount: '-1.25' }] },
      sign_ins: [{ address: '192.0.2.7' }],
    });
    expect(evidence.receipts.filter(({ kind }) => kind === 'top_up')).toHaveLength(2);
    for (const part of ['hour 1 of a machine', '192.0.2.7', '2 charges, 2.50 in all', open?.dispute_ref ?? '?']) {
      expect(evidence.text).toContain(part);
    }
    // What a bank has written cannot pass for a line of ours.
    expect(evidence.text).not.toContain('\nADDED LINE');
    expect(evidence.text).toBe(evidenceText(evidence));
  });

  it('is for operators, and each reading of it leaves an audit row', async () => {
    const [one] = disputes;
    expect((await told.run(disputeEvidence, { sid: one?.sid })).status).toBe(403);
    expect((await told.run(disputeEvidence, { sid: told.wallet.sid }, { actor: OPERATOR })).status).toBe(404);
    await told.run(disputeEvidence, { sid: one?.sid }, { actor: OPERATOR });
    const audit = await told.run(auditList, { subject: one?.sid }, { actor: OPERATOR });
    const { items } = JSON.parse(audit.body) as { items: { action: string; actor: string }[] };
    expect(items.map(({ action, actor }) => `${action} ${actor}`)).toEqual([
      'dispute.evidence admin:adm_1',
      'dispute.converge system:webhook',
    ]);
  });

  it('says that there is nothing where there is nothing, and counts what it leaves out', async () => {
    const reply = await told.run(disputeEvidence, { sid: disputes[0]?.sid }, { actor: OPERATOR });
    const evidence = JSON.parse(reply.body) as Parameters<typeof evidenceText>[0];
    const text = evidenceText({ ...evidence, sign_ins: [], usage: { ...evidence.usage, charges: 500 } });
    expect(text).toContain('When the customer signed in\n---------------------------\nNone.');
    expect(text).toContain('and 498 older ones.');
  });
});
