import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { billingGet } from '../../src/operations/billing/get.ts';
import { billingStatement } from '../../src/operations/billing/statement.ts';
import { disputeGet } from '../../src/operations/dispute/get.ts';
import { endpointRemove } from '../../src/operations/endpoint/remove.ts';
import { endpointCreate } from '../../src/operations/endpoint/create.ts';
import { erasureGet } from '../../src/operations/erasure/get.ts';
import { identityList } from '../../src/operations/identity/list.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { paymentGet } from '../../src/operations/payment/get.ts';
import { receiptDownload } from '../../src/operations/receipt/download.ts';
import { refundGet } from '../../src/operations/refund/get.ts';
import { sessionList } from '../../src/operations/session/list.ts';
import { sessionRevoke } from '../../src/operations/session/revoke.ts';
import { userErase } from '../../src/operations/user/erase.ts';
import { userExport } from '../../src/operations/user/export.ts';
import { userGet } from '../../src/operations/user/get.ts';
import { userUpdate } from '../../src/operations/user/update.ts';
import { openWallets } from '../support/ledger.ts';
import { dispute } from '../support/paper-dispute.ts';
import { paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { asked, look } from '../support/refund-story.ts';

let story: PaymentStory;
/** What somebody else has, by kind. */
const others: Record<string, string> = {};

beforeAll(async () => {
  story = await paymentStory();
  const payment = await story.paid('25.00');
  await look(story, payment.sid);
  others['refund'] = (await asked(story, { payment, amount: '5.00' })).sid;
  dispute(story.bank, payment.sid, { state: 'inquiry', amount: 1_000_000n });
  await look(story, payment.sid);
  const one = async (table: string): Promise<string> => {
    const query = { name: `test.one_${table}`, text: `select sid from ${table} order by sid limit 1` };
    return (await story.database.owner.query<{ sid: string }>(query))[0]?.sid ?? '';
  };
  const made = await story.run(endpointCreate, { url: 'https://example.org/hook', description: 'theirs' });
  others['payment'] = payment.sid;
  others['dispute'] = await one('dispute');
  others['receipt'] = await one('receipt');
  others['endpoint'] = (JSON.parse(made.body) as { sid: string }).sid;
  others['wallet'] = story.wallet.sid;
  others['user'] = story.wallet.userSid;
});
afterAll(() => story.close());

describe('J05 J16 what is somebody else’s is told from what is not there by nothing', () => {
  const cases: readonly (readonly [kind: string, operation: Operation])[] = [
    ['payment', paymentGet],
    ['payment', paymentCheck],
    ['refund', refundGet],
    ['dispute', disputeGet],
    ['receipt', receiptDownload],
    ['endpoint', endpointRemove],
    ['wallet', billingGet],
    ['wallet', billingStatement],
    ['user', userGet],
    ['user', userUpdate],
    ['user', userExport],
    ['user', userErase],
    ['user', erasureGet],
    ['user', identityList],
    ['user', sessionList],
    ['user', sessionRevoke],
  ];
  it.each(cases.map(([kind, operation]) => [kind, operation.name, operation] as const))(
    'a %s: %s',
    async (kind, _, operation) => {
      const [stranger] = await openWallets(story.database.owner, story.ports, 1);
      if (!stranger) throw new Error('a wallet was opened');
      const ask = async (sid: string) => {
        const { house, ports } = story.anotherProcess();
        const { status, body } = await story.run(operation, { sid }, { actor: userActor(stranger), house });
        // What it asked of the database, by name: the same work takes the same time.
        return { status, body: body.replace(/"request_id":"[^"]*"/, ''), work: [...ports.crash.reached] };
      };
      const [theirs, nobodys] = [await ask(others[kind] ?? ''), await ask('00000000000000000000000000')];
      expect(theirs.status).toBe(404);
      expect(theirs).toEqual(nobodys);
      // Persons are told apart before anything is read.
      expect(theirs.work.length > 0).toBe(kind !== 'user' || operation === userUpdate);
    },
  );
});
