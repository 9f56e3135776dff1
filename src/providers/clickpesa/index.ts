import type { Ports } from '../../ports/ports.ts';
import {
  ProviderFailure,
  type NewOrder,
  type PaymentProvider,
  type ProviderAccount,
  type ProviderDescription,
  type ProviderOrder,
} from '../provider.ts';
import type { ChecksumMethod } from './checksum.ts';
import { clickPesaClient, type ClickPesaApi } from './client.ts';
import { listMovements, listOrders } from './lists.ts';
import { hasMoney, toLink, toProviderOrder, usdOf } from './map.ts';
import { ATTEMPTS_MAX, paymentReferences, referenceOf } from './reference.ts';
import { readRefund, refund } from './refund.ts';
import { checked, paymentShape, type PaymentRecord } from './shapes.ts';
import { checksumKeyProblem, verifyClickPesaWebhook } from './webhook.ts';

export interface ClickPesaProviderOptions {
  readonly clientId: string;
  readonly apiKey: string;
  /** Null: no webhook is accepted, and requests carry no checksum. */
  readonly checksumKey: string | null;
  /** The key before it, good for webhooks until its end; requests are never signed with it. */
  readonly checksumKeyPrevious?: string | null;
  readonly checksumKeyPreviousUntil?: Date | null;
  readonly checksumMethod: ChecksumMethod;
  /** With its path: `https://api.clickpesa.com/third-parties`, or a simulator's. */
  readonly apiUrl: string;
  /** ClickPesa's keys do not tell real money from play money. */
  readonly isLive: boolean;
  readonly ports: Ports;
}

/** ClickPesa's hosted checkout (mobile money and cards in Tanzania) as a payment provider. Connects to nothing until it is first used. */
export function clickPesaProvider(options: ClickPesaProviderOptions): PaymentProvider {
  const { checksumKey, isLive } = options;
  const account: ProviderAccount = { id: options.clientId, isLive };
  const signing = checksumKeyProblem(checksumKey) === null ? checksumKey : null;
  const using = clickPesaClient({ ...options, checksumKey: signing });
  return {
    name: 'clickpesa',
    description: DESCRIPTION,
    account: () => Promise.resolve(account),
    createOrder: (order) => using('create-order', true, (api) => createOrder(api, order, account)),
    readOrder: async (orderRef) => {
      const references = paymentReferences(orderRef);
      if (references.length === 0) return null;
      const records = await using('read-order', false, async (api) => {
        const tries: PaymentRecord[] = [];
        for (const reference of references) tries.push(...(await readTries(api, reference)));
        return tries;
      });
      return records.length === 0 ? null : toProviderOrder(orderRef, records, account);
    },
    verifyWebhook: (delivery) => verifyClickPesaWebhook(options, delivery),
    listOrders: async (since) => {
      const orders = await using('list-orders', false, (api) => listOrders(api, account, since));
      return { orders, nextCursor: null };
    },
    refund: (asked) => refund(using, asked),
    readRefund: (asked) => readRefund(using, asked),
    listMovements: async (since) => {
      const movements = await using('list-movements', false, (api) => listMovements(api, since));
      return { movements, nextCursor: null };
    },
  };
}

const DESCRIPTION: ProviderDescription = {
  title: 'Mobile money',
  settings: ['CLICKPESA_CLIENT_ID', 'CLICKPESA_API_KEY', 'CLICKPESA_CHECKSUM_KEY', 'CLICKPESA_API_URL'],
  can: { refund: 'payout', severalPayments: true, disputes: false, savedCards: false },
  cannot: [
    'A payment cannot be refunded where it was made: money goes back as a payout to a phone number, and the fee of that is ours.',
    'A checkout link does not expire and cannot be closed, and it can be paid more than once; each payment is credited.',
    'It cannot be asked about a link that nobody has tried to pay.',
    'It sends no webhook when a payment is taken back: the reconciler finds that.',
  ],
};

/**
 * A link cannot be looked up again. When its reference turns out to be used, the answer to an earlier call was lost: the next reference
 * is taken, and the ones before stay among those that are read.
 */
async function createOrder(api: ClickPesaApi, order: NewOrder, account: ProviderAccount): Promise<ProviderOrder> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const orderRef = referenceOf({ names: 'payment', sid: order.paymentSid, attempt });
    const checkoutUrl = await api.createLink(toLink(order, orderRef));
    if (checkoutUrl !== null) {
      const { paymentSid, userSid, expiresAt } = order;
      const open = {
        state: 'open',
        progress: null,
        payments: [],
        checkoutUrl,
        paymentSid,
        userSid,
        expiresAt,
      } as const;
      return { ...toProviderOrder(orderRef, [], account), ...open };
    }
  }
  throw new ProviderFailure('refused', 'none', `ClickPesa has ${ATTEMPTS_MAX} links for this payment and tells none.`);
}

/** The lookup by reference does not say what a foreign currency came to; the list does. */
async function readTries(api: ClickPesaApi, orderReference: string): Promise<PaymentRecord[]> {
  const records = await api.readPayments(orderReference);
  if (records.every((record) => !hasMoney(record) || usdOf(record) !== null)) return records;
  const { rows } = await api.listPayments({ orderReference, limit: '100' });
  const listed = rows
    .filter((row) => row.orderReference === orderReference)
    .map((row) => checked(paymentShape, row, 'none'));
  const exchanges = new Map(listed.map(({ id, exchange }) => [id, exchange]));
  return records.map((record) => ({ ...record, exchange: record.exchange ?? exchanges.get(record.id) ?? null }));
}
