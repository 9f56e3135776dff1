import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { oldestUnbilled, readUnbilled } from '../../store/unbilled.ts';
import { readWalletBySid } from '../../store/wallet.ts';
import { operation } from '../operation.ts';
import { sidField, signedAmount } from '../schema.ts';
import { billInSteps } from './bill-wallet.ts';
import { unbilledIdField } from './list-unbilled.ts';

export const usageBillUnbilled = operation({
  name: 'usage.bill-unbilled',
  summary: 'Bill unbilled usage now: of a wallet as far as it can pay, or one record',
  description:
    'Of a wallet the oldest first, until one does not fit. It never takes a wallet below its floor. The house does the same by itself every ' +
    'five minutes. Each record is billed once, with a new identity: sent again by its node it is still answered as unbilled.',
  http: { method: 'post', path: '/v1/usage/unbilled/bill', status: 200 },
  access: 'operator',
  right: 'money',
  // Each record can be billed once.
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe('Bill what this wallet owes; leave out `id` then.'),
    id: unbilledIdField.optional().describe('Bill this record alone; leave out `wallet_sid` then.'),
  }),
  output: z.object({
    records: z.int().describe('How many were billed now.'),
    charged: signedAmount,
    credit_balance: signedAmount.describe('What the wallet holds after it.'),
    is_complete: z.boolean().describe('Whether nothing of what was asked for is open any more.'),
  }),
  refusals: ['not_found', 'state_conflict', 'insufficient_balance', 'wallet_frozen'],
  async run(call, input) {
    const { house } = call;
    const asked = await askedFor(house.db, input);
    if (isRefusal(asked)) return asked;
    const billed = await billInSteps(house, asked, call);
    if (isRefusal(billed)) return billed;
    const wallet = await readWalletBySid(house.db, asked.walletSid);
    if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
    const left = asked.item === null ? await oldestUnbilled(house.db, asked.wallet, 1) : [];
    return {
      records: billed.records,
      charged: formatDecimal(billed.amount),
      credit_balance: formatDecimal(wallet.balance),
      is_complete: left.length === 0,
    };
  },
});

async function askedFor(
  tx: Tx,
  input: { readonly wallet_sid?: string | undefined; readonly id?: string | undefined },
): Promise<{ readonly wallet: bigint; readonly walletSid: string; readonly item: string | null } | Refusal> {
  const { wallet_sid: sid, id } = input;
  if ((sid === undefined) === (id === undefined)) {
    const errors = [{ pointer: '#/wallet_sid', detail: 'give either wallet_sid or id' }];
    return refuse('invalid_request', 'Say whose usage, or which record, to bill.', { errors });
  }
  if (id !== undefined) {
    const [row] = await readUnbilled(tx, [id]);
    if (!row) return refuse('not_found', 'There is no unbilled record with this id.');
    if (row.state === 'written_off' || row.state === 'superseded')
      return refuse('state_conflict', `The record is ${row.state.replace('_', ' ')}: it is not billed any more.`);
    return { wallet: row.wallet, walletSid: row.walletSid, item: id };
  }
  const wallet = sid === undefined ? null : await readWalletBySid(tx, sid);
  if (!wallet) return refuse('not_found', 'There is no wallet with this sid.');
  return { wallet: wallet.id, walletSid: wallet.sid, item: null };
}
