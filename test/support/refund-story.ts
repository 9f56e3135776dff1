import { micros, parseDecimal, type Micros } from '../../src/domain/money.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import type { Refund } from '../../src/operations/refund/refund.ts';
import { sendRefund } from '../../src/operations/refund/send.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import type { Reply } from '../../src/operations/execute.ts';
import { readRefund, readRefundsOfPayment, type RefundRow } from '../../src/store/refund.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { OPERATOR, type PaymentStory } from './payment-story.ts';

/** Another operator than {@link OPERATOR}. */
export const SECOND_OPERATOR: Actor = { kind: 'operator', id: 'admin:adm_2', role: 'admin', userSid: null };

export function dollars(text: string): Micros {
  const amount = parseDecimal(text.replace('-', ''));
  if (amount === null) throw new Error(`${text} is no amount`);
  return micros(text.startsWith('-') ? -amount : amount);
}

/** A top-up that is paid and credited. */
export async function credited(told: PaymentStory, amount = '100.00'): Promise<Payment> {
  const payment = await told.paid(amount);
  await look(told, payment.sid);
  return payment;
}

/** We hear that something happened to a payment, and look at the bank. */
export async function look(told: PaymentStory, paymentSid: string, house: House = told.house): Promise<void> {
  await settlePayment(house, paymentSid, ownCause(house, 'webhook'));
}

interface Asked {
  readonly payment: Pick<Payment, 'sid'>;
  readonly amount: string;
  readonly key?: string;
  readonly house?: House;
  readonly actor?: Actor;
}

let keys = 0;

/** Asks for a refund, as an operator if nobody else is named. */
export const askRefund = (
  told: PaymentStory,
  { payment, amount, key, house, actor = OPERATOR }: Asked,
): Promise<Reply> =>
  told.run(
    refundCreate,
    { payment_sid: payment.sid, amount, reason: 'the customer asked' },
    { key: key ?? `refund-${(keys += 1)}`, actor, ...(house === undefined ? {} : { house }) },
  );

/** A refund that is expected to be set aside. */
export async function asked(told: PaymentStory, wish: Asked): Promise<Refund> {
  const reply = await askRefund(told, wish);
  if (reply.status !== 201) throw new Error(`the refund was not taken: ${reply.status} ${reply.body}`);
  return JSON.parse(reply.body) as Refund;
}

/** What the queue would do. */
export const send = (told: PaymentStory, sid: string, house: House = told.house): Promise<void> =>
  sendRefund(house, sid, ownCause(house, 'refund'));

export async function refundOf(told: PaymentStory, sid: string): Promise<RefundRow> {
  const row = await readRefund(told.database.owner, sid);
  if (row === null) throw new Error('no such refund');
  return row;
}

export const refundsOf = (told: PaymentStory, paymentSid: string): Promise<RefundRow[]> =>
  readRefundsOfPayment(told.database.owner, paymentSid);

export async function walletOf(told: PaymentStory): Promise<WalletRow> {
  const wallet = await readWalletBySid(told.database.owner, told.wallet.sid);
  if (wallet === null) throw new Error('the wallet is there');
  return wallet;
}

/** `balance reserved lifetime-paid`, in dollars. */
export async function standing(told: PaymentStory): Promise<readonly [Micros, Micros, Micros]> {
  const { balance, reserved, lifetimePaid } = await walletOf(told);
  return [balance, reserved, lifetimePaid];
}

export const codeOf = (reply: Reply): string =>
  `${reply.status} ${String((JSON.parse(reply.body) as { readonly code?: string }).code)}`;
