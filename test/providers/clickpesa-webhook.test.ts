import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalChecksum } from '../../sandbox/clickpesa/checksum.ts';
import { canonicalText, checksumOf, legacyText } from '../../src/providers/clickpesa/checksum.ts';
import { referenceOf } from '../../src/providers/clickpesa/reference.ts';
import {
  checksumKeyProblem,
  verifyClickPesaWebhook,
  type WebhookTrust,
} from '../../src/providers/clickpesa/webhook.ts';
import { sidNumber } from '../contract/payment-provider.ts';
import { CHECKSUM_KEY } from './clickpesa-bench.ts';

const KEY = 'test-checksum-key';
const trust: WebhookTrust = { checksumKey: CHECKSUM_KEY, checksumMethod: 'canonical', isLive: false };
const REFERENCE = referenceOf({ names: 'payment', sid: sidNumber(7), attempt: 0 });

const received = {
  event: 'PAYMENT RECEIVED',
  data: {
    id: `${REFERENCE}LCP0001`,
    status: 'SUCCESS',
    orderReference: REFERENCE,
    collectedAmount: '25.00',
    collectedCurrency: 'USD',
    customer: { customerName: 'Zoë', customerPhoneNumber: '255712000001' },
  },
};

const NEW_KEY = 'CHKr7Yt2Mw9Qz4Hs6Jd1';

function deliver(payload: object, as: WebhookTrust = trust, now = new Date(0)) {
  const body = new TextEncoder().encode(JSON.stringify(payload));
  return verifyClickPesaWebhook(as, { body, headers: new Map(), now });
}
const sealed = (payload: object): object => ({ ...payload, checksum: canonicalChecksum(CHECKSUM_KEY, payload) });

describe('the checksum', () => {
  const request = {
    totalPrice: '25000',
    orderReference: 'TOP0001ABCD',
    orderCurrency: 'TZS',
    customerName: 'Asha Juma',
    customerEmail: 'asha@example.test',
    customerPhone: '255712000001',
  };
  const webhook = {
    event: 'PAYMENT RECEIVED',
    data: {
      status: 'SUCCESS',
      id: 'TOP0001ABCDLCP0001',
      orderReference: 'TOP0001ABCD',
      collectedCurrency: 'TZS',
      collectedAmount: '25000',
      customer: { customerPhoneNumber: '255712000001', customerName: 'Asha Juma' },
    },
  };

  it.each([
    ['of a request', request, '3d711482a55f3452f34a0060e64509b963396ead83c587987a2c32bc76ae0723'],
    ['of a webhook', webhook, 'c26c69529c62ece539d953c286cb687fb99ea15c0f62d48fe54f9e2c5acfa23e'],
    [
      'of letters outside ASCII, slashes and arrays',
      { b: 'Zoë/ü', a: [{ y: 1, x: '2' }] },
      'c621f5296561cd99781271e7e290380c73c48cc142c86cd3b0da03fc529600f0',
    ],
  ])('A10 %s is the documented one', (_, payload, expected) => {
    expect(checksumOf('canonical', KEY, payload)).toBe(expected);
    expect(canonicalChecksum(KEY, payload)).toBe(expected);
  });

  it('A11 of the method before 2026 is the documented one', () => {
    expect(legacyText(request)).toBe('asha@example.testAsha Juma255712000001TZSTOP0001ABCD25000');
    expect(checksumOf('legacy', KEY, request)).toBe('4b6c2bc812919d2760368c788270e4a46ac7c2bca539dd17b932da5a5d0a3070');
  });

  it('A10 has no use for the two fields that carry it', () => {
    expect(checksumOf('canonical', KEY, { ...request, checksum: 'x', checksumMethod: 'canonical' })).toBe(
      checksumOf('canonical', KEY, request),
    );
  });

  it('A10 does not depend on the order of keys at any level, and depends on everything else', () => {
    const shuffled = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shuffled)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, field]) => [key, shuffled(field)]),
            )
          : value;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (payload) => {
        expect(canonicalText(shuffled(payload) as Record<string, unknown>)).toBe(canonicalText(payload));
      }),
    );
    expect(canonicalText({ a: [1, 2] })).not.toBe(canonicalText({ a: [2, 1] }));
    expect(canonicalText({ amount: '1' })).not.toBe(canonicalText({ amount: 1 }));
    expect(canonicalText({ amount: JSON.parse('10000.0') })).toBe('{"amount":10000}');
  });
});

describe('a delivery', () => {
  it('A10 with its checksum names the payment, and nothing of its amount', () => {
    expect(deliver(sealed(received))).toEqual({
      eventId: `PAYMENT RECEIVED:${received.data.id}:SUCCESS`,
      eventType: 'PAYMENT RECEIVED',
      accountId: null,
      isLive: false,
      orderRef: REFERENCE,
      paymentRef: null,
      paymentSid: sidNumber(7),
      refundSid: null,
      refundRef: null,
      verifiedWith: 'current',
    });
  });

  it('A13 during a rotation both keys are good until the old one ends, and the event says which it was', () => {
    const until = new Date(3_600_000);
    const rotating = {
      ...trust,
      checksumKey: NEW_KEY,
      checksumKeyPrevious: CHECKSUM_KEY,
      checksumKeyPreviousUntil: until,
    };
    const renewed = { ...received, checksum: canonicalChecksum(NEW_KEY, received) };
    expect(deliver(renewed, rotating)).toMatchObject({ verifiedWith: 'current', orderRef: REFERENCE });
    expect(deliver(sealed(received), rotating)).toMatchObject({ verifiedWith: 'previous', orderRef: REFERENCE });
    expect(deliver(sealed(received), rotating, new Date(until.getTime() - 1))).toMatchObject({
      verifiedWith: 'previous',
    });
    expect(deliver(sealed(received), rotating, until)).toMatchObject({ code: 'invalid_signature' });
    expect(deliver(renewed, rotating, until)).toMatchObject({ verifiedWith: 'current' });
  });

  it('A13 a previous key without an end, or one that can be guessed, is not accepted', () => {
    const endless = { ...trust, checksumKey: NEW_KEY, checksumKeyPrevious: CHECKSUM_KEY };
    expect(deliver(sealed(received), endless)).toMatchObject({ code: 'invalid_signature' });
    const short = { ...endless, checksumKeyPrevious: 'abc', checksumKeyPreviousUntil: new Date(3_600_000) };
    const guessed = { ...received, checksum: canonicalChecksum('abc', received) };
    expect(deliver(guessed, short)).toMatchObject({ code: 'invalid_signature' });
  });

  it('A10 that says its method is accepted, and one of an unknown method is not', () => {
    expect(deliver({ ...sealed(received), checksumMethod: 'canonical' })).toMatchObject({ orderRef: REFERENCE });
    expect(deliver({ ...sealed(received), checksumMethod: 'md5' })).toMatchObject({ code: 'invalid_signature' });
  });

  it.each([
    ['A10 no checksum', received, 'signature_missing'],
    ['A02 an empty checksum', { ...received, checksum: '' }, 'signature_missing'],
    ['A02 a checksum that is no text', { ...received, checksum: 5 }, 'signature_missing'],
    [
      'A09 capitals',
      { ...received, checksum: canonicalChecksum(CHECKSUM_KEY, received).toUpperCase() },
      'invalid_signature',
    ],
    [
      'A09 half of it',
      { ...received, checksum: canonicalChecksum(CHECKSUM_KEY, received).slice(32) },
      'invalid_signature',
    ],
    [
      'A03 the checksum of an empty key',
      { ...received, checksum: canonicalChecksum('', received) },
      'invalid_signature',
    ],
    [
      'A03 of another key',
      { ...received, checksum: canonicalChecksum('another-checksum-key', received) },
      'invalid_signature',
    ],
    [
      'A08 a changed amount',
      { ...sealed(received), data: { ...received.data, collectedAmount: '2500' } },
      'invalid_signature',
    ],
    ['A08 a further field', { ...sealed(received), more: true }, 'invalid_signature'],
  ])('%s is refused', (_, payload, code) => {
    expect(deliver(payload)).toMatchObject({ code });
  });

  it('A08 of bytes that are no JSON object, or nested without end, is refused and never throws', () => {
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    for (const text of ['', 'null', '[]', '"x"', '{', '\uFEFF{}', deep]) {
      const body = new TextEncoder().encode(text);
      expect(verifyClickPesaWebhook(trust, { body, headers: new Map(), now: new Date(0) })).toMatchObject({
        code: 'invalid_signature',
      });
    }
    const latin = Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]);
    expect(verifyClickPesaWebhook(trust, { body: latin, headers: new Map(), now: new Date(0) })).toMatchObject({
      code: 'invalid_signature',
    });
  });

  it('A08 with any one bit of its body flipped is never taken for another payment', () => {
    const body = new TextEncoder().encode(JSON.stringify(sealed(received)));
    const untouched = deliver(sealed(received));
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const flipped = Uint8Array.from(body, (byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      const verified = verifyClickPesaWebhook(trust, { body: flipped, headers: new Map(), now: new Date(0) });
      // A flip in the name of a field outside the checksum leaves what is protected as it was.
      if ('eventId' in verified) expect(verified).toEqual(untouched);
    }
  });

  it.each([null, '', ' ', 'Zq4', 'changeme-changeme-changeme', 'aaaaaaaaaaaaaaaaaaaaaaaa', `${CHECKSUM_KEY}\n`])(
    'A01 no delivery is accepted with the unusable key %j',
    (checksumKey) => {
      const payload = { ...received, checksum: canonicalChecksum(checksumKey ?? '', received) };
      expect(deliver(payload, { ...trust, checksumKey })).toMatchObject({ code: 'webhook_not_configured' });
      if ((checksumKey ?? '').trim() !== '') expect(checksumKeyProblem(checksumKey)).not.toContain(checksumKey);
    },
  );

  it('A11 of the old method is refused unless it is enabled: two payloads share one old checksum', () => {
    const [one, other] = [
      { a: '1', b: '23' },
      { a: '12', b: '3' },
    ];
    expect(checksumOf('legacy', KEY, one)).toBe(checksumOf('legacy', KEY, other));
    const old = createHmac('sha256', CHECKSUM_KEY).update(legacyText(received)).digest('hex');
    expect(deliver({ ...received, checksum: old, checksumMethod: 'legacy' })).toMatchObject({
      code: 'invalid_signature',
    });
    expect(deliver({ ...received, checksum: old })).toMatchObject({ code: 'invalid_signature' });
    const enabled: WebhookTrust = { ...trust, checksumMethod: 'legacy' };
    expect(deliver({ ...received, checksum: old, checksumMethod: 'legacy' }, enabled)).toMatchObject({
      orderRef: REFERENCE,
    });
    expect(deliver({ ...received, checksum: old, checksumMethod: 'canonical' }, enabled)).toMatchObject({
      code: 'invalid_signature',
    });
  });

  it.each([
    [
      'the older generation of a receipt',
      {
        event: 'PAYMENT RECEIVED',
        data: { paymentId: 'P1', status: 'SUCCESS', orderReference: REFERENCE, amount: '25.00' },
      },
      { eventId: 'PAYMENT RECEIVED:P1:SUCCESS', orderRef: REFERENCE, paymentSid: sidNumber(7) },
    ],
    [
      'the older generation of a failure',
      { eventType: 'PAYMENT FAILED', data: { paymentId: 'P1', status: 'FAILED', orderReference: REFERENCE } },
      { eventType: 'PAYMENT FAILED', orderRef: REFERENCE },
    ],
    [
      'A15 another account',
      { event: 'PAYMENT RECEIVED', data: { id: 'P1', orderReference: REFERENCE, clientId: 'IDother' } },
      { accountId: 'IDother', orderRef: REFERENCE },
    ],
    [
      'B05 an order of another program',
      { event: 'PAYMENT RECEIVED', data: { id: 'P1', orderReference: 'SHOP00012345' } },
      { orderRef: 'SHOP00012345', paymentSid: null },
    ],
    [
      'a payout of ours',
      {
        event: 'PAYOUT REVERSED',
        data: { id: 'PAY1', status: 'REVERSED', orderReference: `${REFERENCE.slice(0, 18)}R0` },
      },
      { orderRef: null, paymentSid: null, refundSid: sidNumber(7) },
    ],
    [
      'a payout of somebody else',
      { event: 'PAYOUT INITIATED', data: { id: 'PAY1', orderReference: 'SALARY0012345' } },
      { orderRef: null, paymentSid: null, refundSid: null },
    ],
    [
      'A16 a deposit',
      { event: 'DEPOSIT RECEIVED', data: { id: 'D1', orderReference: 'DEP000012345' } },
      { eventType: 'DEPOSIT RECEIVED', orderRef: null, paymentSid: null },
    ],
    ['A16 a shape nobody knows', { hello: ['world'] }, { eventType: 'unknown', orderRef: null, paymentSid: null }],
    ['A16 fields of other types', { event: 5, data: 'x' }, { eventType: 'unknown', orderRef: null }],
  ])('%s is read for its references', (_, payload, expected) => {
    expect(deliver(sealed(payload))).toMatchObject(expected);
  });

  it('A06 sent again is the same event, and a later state of the payment is another', () => {
    const settled = { ...received, data: { ...received.data, status: 'SETTLED' } };
    const idOf = (payload: object) => (deliver(sealed(payload)) as { eventId: string }).eventId;
    expect(idOf(received)).toBe(idOf(received));
    expect(idOf(settled)).not.toBe(idOf(received));
  });
});
