import { amountText } from './money.ts';
import type { Payment, Payout } from './state.ts';
import type { Switches } from './switches.ts';

type Written = Pick<Switches, 'amounts'>;

/** A number, or text: both were seen. */
const written = (hundredths: number, { amounts }: Written): number | string =>
  amounts === 'number' ? Number(amountText(hundredths)) : amountText(hundredths);

const customer = ({ phone }: Payment): object => ({
  customerName: 'Asha Juma',
  customerPhoneNumber: phone,
  customerEmail: 'asha@example.test',
});

export const paymentObject = (it: Payment, switches: Written): object => ({
  id: it.id,
  status: it.status,
  paymentReference: `${it.id}REF`.toLowerCase(),
  paymentPhoneNumber: it.phone,
  orderReference: it.reference,
  collectedAmount: written(it.hundredths, switches),
  collectedCurrency: it.currency,
  message: it.message,
  channel: 'TIGO-PESA',
  createdAt: it.createdAt,
  updatedAt: it.updatedAt,
  customer: customer(it),
});

/** In the list, and only there, the exchange is told. */
export const listedPaymentObject = (it: Payment, switches: Written): object => ({
  ...paymentObject(it, switches),
  exchanged: it.exchange !== null,
  ...(it.exchange === null
    ? {}
    : {
        exchange: {
          sourceCurrency: 'USD',
          targetCurrency: it.currency,
          sourceAmount: written(it.exchange.sourceHundredths, switches),
          rate: switches.amounts === 'number' ? Number(it.exchange.rate) : it.exchange.rate,
        },
      }),
});

export const payoutObject = (it: Payout): object => ({
  id: it.id,
  orderReference: it.reference,
  amount: fixed(it.hundredths),
  currency: it.currency,
  fee: fixed(it.feeHundredths),
  status: it.status,
  channel: 'MOBILE MONEY',
  channelProvider: 'TIGO-PESA',
  notes: '',
  beneficiary: { accountNumber: it.phone, accountName: 'Asha Juma', beneficiaryMobileNumber: it.phone },
  ...(it.status === 'REFUNDED' ? { refund: { message: 'The payout was refunded', refundedAt: it.updatedAt } } : {}),
  ...(it.status === 'REVERSED'
    ? { reverse: { message: 'The payout was reversed', reversedAt: it.updatedAt, reversedWithFee: 'false' } }
    : {}),
  createdAt: it.createdAt,
  updatedAt: it.updatedAt,
});

/** Always two decimals. */
const fixed = (hundredths: number): string => {
  const text = amountText(hundredths);
  return text.includes('.') ? text : `${text}.00`;
};

/** Two generations of the same news. */
export function paymentEvent(type: string, it: Payment, shape: Switches['webhookShape'], clientId: string): object {
  if (shape === 'old') {
    const { id, status, reference: orderReference, message, createdAt, updatedAt } = it;
    const common = { paymentId: id, status, orderReference, message, createdAt, updatedAt };
    const money = { amount: fixed(it.hundredths), currency: it.currency, channel: 'TIGO-PESA' };
    const who = { customer: { name: 'Asha Juma', email: 'asha@example.test', phone: it.phone } };
    const isFailed = type === 'PAYMENT FAILED';
    return { [isFailed ? 'eventType' : 'event']: type, data: isFailed ? common : { ...common, ...money, ...who } };
  }
  return { event: type, data: { ...paymentObject(it, { amounts: 'text' }), clientId } };
}

export const payoutEvent = (type: string, it: Payout): object => ({ event: type, data: payoutObject(it) });
