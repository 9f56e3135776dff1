import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../../src/providers/provider.ts';
import { signatureOf, verifyBtcpayWebhook } from '../../src/providers/btcpay/webhook.ts';
import { webhookSecretProblem, type WebhookSecrets } from '../../src/providers/webhook-secret.ts';
import { propertySeed } from '../support/property-seed.ts';
import { STORE_ID, WEBHOOK_SECRET } from './btcpay-bench.ts';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const SID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const EVENT = {
  deliveryId: 'Dv1111111111111111111A',
  webhookId: 'Wh11111111111111111111',
  originalDeliveryId: 'Dv1111111111111111111A',
  isRedelivery: false,
  type: 'InvoiceSettled',
  timestamp: 1_700_000_000,
  storeId: STORE_ID,
  invoiceId: 'Fv6xJ8dKq2mNp4rTs9uWz4',
  metadata: { orderId: SID, hero_onboarding_user: '01ARZ3NDEKTSV4RRFFQ69G5USR' },
  manuallyMarked: false,
  overPaid: false,
};
const BODY = JSON.stringify(EVENT);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sign = (body: string | Uint8Array, secret = WEBHOOK_SECRET): string =>
  signatureOf(secret, typeof body === 'string' ? bytes(body) : body);

function delivery(body: string | Uint8Array, signature: string | readonly string[] | null, now = NOW): WebhookDelivery {
  const values = signature === null ? [] : typeof signature === 'string' ? [signature] : signature;
  return {
    body: typeof body === 'string' ? bytes(body) : body,
    headers: new Map(values.length === 0 ? [] : [['btcpay-sig', values]]),
    now,
  };
}

const verify = (sent: WebhookDelivery, secrets: WebhookSecrets = { current: WEBHOOK_SECRET }) =>
  verifyBtcpayWebhook(secrets, { isLive: false }, sent);
function verdict(sent: WebhookDelivery, secrets?: WebhookSecrets): Refusal['code'] | 'verified' {
  const answer = verify(sent, secrets);
  return isRefusal(answer) ? answer.code : 'verified';
}
function verified(sent: WebhookDelivery, secrets?: WebhookSecrets): VerifiedWebhook {
  const answer = verify(sent, secrets);
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}
const eventOf = (changes: object): VerifiedWebhook => {
  const body = JSON.stringify({ ...EVENT, ...changes });
  return verified(delivery(body, sign(body)));
};

describe('A01 A03 a secret that is none closes the endpoint', () => {
  it.each([
    undefined,
    '',
    ' ',
    '\n',
    'changeme',
    'short',
    'x'.repeat(40),
    'your-webhook-secret-goes-here',
    'two words here and more of them',
  ])('A01 %o accepts nothing, not even what it signs', (secret) => {
    expect(webhookSecretProblem(secret)).not.toBeNull();
    expect(verdict(delivery(BODY, sign(BODY, secret ?? '')), { current: secret })).toBe('webhook_not_configured');
  });

  it('A03 a body signed with an empty key is refused where a secret is set', () => {
    expect(verdict(delivery(BODY, sign(BODY, '')))).toBe('invalid_signature');
  });
});

describe('the signature', () => {
  it('is the one that the documented scheme gives', () => {
    const body = '{"type":"InvoiceSettled","invoiceId":"INV1"}';
    expect(sign(body, 'btcpay-secret')).toBe('sha256=0fbbb0e77ecd3b142082f62aef264d4b9ac67fa05bed9f906ead968605bf41c3');
  });

  it('A02 a missing, doubled or overlong header is refused', () => {
    expect(verdict(delivery(BODY, null))).toBe('signature_missing');
    expect(verdict(delivery(BODY, ' '))).toBe('signature_missing');
    expect(verdict(delivery(BODY, [sign(BODY), sign(BODY)]))).toBe('invalid_signature');
    expect(verdict(delivery(BODY, `${sign(BODY)}, ${sign(BODY)}`))).toBe('invalid_signature');
    expect(verdict(delivery(BODY, `${sign(BODY)}${'0'.repeat(65_536)}`))).toBe('invalid_signature');
  });

  it.each([
    ['another scheme', sign(BODY).replace('sha256', 'sha1')],
    ['no scheme', sign(BODY).replace('sha256=', '')],
    ['upper case', sign(BODY).toUpperCase()],
    ['upper-case digits', `sha256=${sign(BODY).slice(7).toUpperCase()}`],
    ['too short', sign(BODY).slice(0, -1)],
    ['not hexadecimal', `${sign(BODY).slice(0, -1)}g`],
    ['of another secret', sign(BODY, `${WEBHOOK_SECRET}x`)],
  ])('A09 a signature that is %s is refused', (_, signature) => {
    expect(verdict(delivery(BODY, signature))).toBe('invalid_signature');
  });

  it.each([
    ['a changed byte', BODY.replace('Settled', 'settled')],
    ['a line break at the end', `${BODY}\n`],
    ['the same JSON written otherwise', JSON.stringify(EVENT, null, 2)],
    ['a byte order mark', `\uFEFF${BODY}`],
  ])('A08 %s does not fit the signature', (_, body) => {
    expect(verdict(delivery(body, sign(BODY)))).toBe('invalid_signature');
  });

  it('A08 any one flipped bit is noticed', () => {
    const signature = sign(BODY);
    const original = bytes(BODY);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: original.length * 8 - 1 }), (bit) => {
        const body = original.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(verdict(delivery(body, signature))).toBe('invalid_signature');
      }),
      { seed: propertySeed('bit flips'), numRuns: 500 },
    );
  });

  it('A05 A06 A07 it holds no time: an old delivery verifies, and is the event it was', () => {
    const years = new Date(NOW.getTime() + 3 * 365 * 86_400_000);
    expect(verified(delivery(BODY, sign(BODY), years)).eventId).toBe(verified(delivery(BODY, sign(BODY))).eventId);
    const later = JSON.stringify({ ...EVENT, timestamp: 1_800_000_000 });
    expect(verdict(delivery(later, sign(BODY)))).toBe('invalid_signature');
  });

  it('A13 two secrets are good during a rotation, and the old one ends', () => {
    const until = new Date(NOW.getTime() + 60_000);
    const next = '9Zk2cXw5GtRqNm8SyUo4BeLf7bHd';
    const secrets = { current: next, previous: WEBHOOK_SECRET, previousUntil: until };
    expect(verified(delivery(BODY, sign(BODY)), secrets).verifiedWith).toBe('previous');
    expect(verified(delivery(BODY, sign(BODY, next)), secrets).verifiedWith).toBe('current');
    expect(verdict(delivery(BODY, sign(BODY), until), secrets)).toBe('invalid_signature');
    expect(verdict(delivery(BODY, sign(BODY)), { current: next, previous: WEBHOOK_SECRET })).toBe('invalid_signature');
  });
});

describe('an event', () => {
  it('leads to the invoice and our payment, and says nothing of amounts', () => {
    expect(verified(delivery(BODY, sign(BODY)))).toEqual({
      eventId: EVENT.originalDeliveryId,
      eventType: 'InvoiceSettled',
      accountId: STORE_ID,
      isLive: false,
      orderRef: EVENT.invoiceId,
      paymentRef: null,
      paymentSid: SID,
      refundSid: null,
      refundRef: null,
      verifiedWith: 'current',
    });
  });

  it('B01 a redelivery has another id and is the same event', () => {
    expect(eventOf({ deliveryId: 'Dv2222222222222222222B', isRedelivery: true }).eventId).toBe(EVENT.deliveryId);
    expect(eventOf({ originalDeliveryId: null }).eventId).toBe(EVENT.deliveryId);
  });

  it('A04 the order id of another program is no payment of ours', () => {
    expect(eventOf({ metadata: { orderId: SID } }).paymentSid).toBeNull();
    expect(eventOf({ metadata: { ...EVENT.metadata, orderId: '../x' } }).paymentSid).toBeNull();
    expect(eventOf({ metadata: null }).paymentSid).toBeNull();
    expect(eventOf({ metadata: JSON.parse('{"__proto__":{"orderId":"x"}}') }).paymentSid).toBeNull();
  });

  it('A15 the store it is for is told', () => {
    expect(eventOf({ storeId: 'AnotherStore1111111111' }).accountId).toBe('AnotherStore1111111111');
  });

  it.each(['InvoiceCreated', 'PayoutUpdated', 'PaymentRequestCreated', 'SubscriberCreated', 'Unheard'])(
    'A16 %s is of no interest',
    (type) => {
      expect(eventOf({ type })).toMatchObject({ eventType: type, orderRef: null, paymentSid: null });
    },
  );

  it.each([
    'InvoiceReceivedPayment',
    'InvoicePaymentSettled',
    'InvoiceProcessing',
    'InvoiceExpired',
    'InvoiceSettled',
    'InvoiceInvalid',
    'InvoiceExpiredPaidPartial',
    'InvoicePaidAfterExpiration',
    'InvoiceRefund',
  ])('%s leads to its invoice', (type) => {
    expect(eventOf({ type }).orderRef).toBe(EVENT.invoiceId);
  });

  it.each([
    '',
    '[]',
    'null',
    '{}',
    '{"type":1}',
    '"x"',
    '{"type":"InvoiceSettled"}',
    JSON.stringify({ ...EVENT, invoiceId: '../../x' }),
  ])('a signed body that is no event is refused: %.30s', (body) => {
    expect(verdict(delivery(body, sign(body)))).toBe('invalid_request');
  });
});
