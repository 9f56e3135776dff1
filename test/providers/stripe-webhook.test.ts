import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SECRET_PREFIX, signatureOf, verifyStripeWebhook } from '../../src/providers/stripe/webhook.ts';
import { webhookSecretProblem } from '../../src/providers/webhook-secret.ts';
import { propertySeed } from '../support/property-seed.ts';
import { WEBHOOK_SECRET } from './stripe-bench.ts';
import { BODY, delivery, EVENT, NOW, NOW_SECONDS, sign, verdict, verified } from './stripe-signing.ts';

const OTHER_SECRET = 'whsec_9ZyXwVuTsRqPoNmLkJiHgFeDcBa87654';

describe('the secret', () => {
  const unusable: readonly (string | undefined)[] = [
    undefined,
    '',
    ' ',
    '\n',
    'changeme',
    'whsec_',
    'whsec_0dKqGm7RZt3uYvP5n',
    `${WEBHOOK_SECRET}\n`,
    'whsec_0dKqGm7RZt3 YvP5nXb2LhWc8JfA4sEe',
    'whsec_your_webhook_secret_from_the_dashboard',
    'whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'whsec_00000000000000000000000000000000',
  ];
  it.each(unusable)('A01 a delivery signed with the unusable secret %j is refused as not configured', (secret) => {
    const mac = createHmac('sha256', secret ?? '')
      .update(`${NOW_SECONDS}.${BODY}`)
      .digest('hex');
    expect(verdict(delivery(BODY, `t=${NOW_SECONDS},v1=${mac}`), { current: secret })).toBe('webhook_not_configured');
  });

  it('A01 an unusable secret closes the endpoint even while the previous one would fit', () => {
    const secrets = { current: '', previous: WEBHOOK_SECRET, previousUntil: new Date('2027-01-01') };
    expect(verdict(delivery(BODY, sign(BODY)), secrets)).toBe('webhook_not_configured');
  });

  it('A01 what is wrong with a secret is said without the secret', () => {
    for (const secret of unusable) {
      const problem = webhookSecretProblem(secret, SECRET_PREFIX);
      expect(problem).toEqual(expect.any(String));
      expect(problem).not.toContain('whsec_');
    }
    expect(webhookSecretProblem(WEBHOOK_SECRET, SECRET_PREFIX)).toBeNull();
  });

  it('A03 a body signed with the empty key is refused while a real secret is set', () => {
    const mac = createHmac('sha256', '').update(`${NOW_SECONDS}.${BODY}`).digest('hex');
    expect(verdict(delivery(BODY, `t=${NOW_SECONDS},v1=${mac}`))).toBe('invalid_signature');
  });

  it('A03 a body signed with the secret without its prefix, or decoded, is refused', () => {
    for (const key of [WEBHOOK_SECRET.slice(6), Buffer.from(WEBHOOK_SECRET.slice(6), 'base64')]) {
      const mac = createHmac('sha256', key).update(`${NOW_SECONDS}.${BODY}`).digest('hex');
      expect(verdict(delivery(BODY, `t=${NOW_SECONDS},v1=${mac}`))).toBe('invalid_signature');
    }
  });

  it('A13 during a rotation both secrets are good until the old one ends, and the event says which it was', async () => {
    const previousUntil = new Date(NOW.getTime() + 3_600_000);
    const secrets = { current: OTHER_SECRET, previous: WEBHOOK_SECRET, previousUntil };
    const at = (time: number, secret: string) =>
      delivery(BODY, sign(BODY, secret, Math.floor(time / 1000)), new Date(time));
    expect(verified(at(NOW.getTime(), OTHER_SECRET), secrets).verifiedWith).toBe('current');
    expect(verified(at(NOW.getTime(), WEBHOOK_SECRET), secrets).verifiedWith).toBe('previous');
    expect(verdict(at(previousUntil.getTime() - 1, WEBHOOK_SECRET), secrets)).toBe('verified');
    expect(verdict(at(previousUntil.getTime(), WEBHOOK_SECRET), secrets)).toBe('invalid_signature');
    expect(verdict(at(previousUntil.getTime(), OTHER_SECRET), secrets)).toBe('verified');
  });

  it('A13 a delivery that Stripe signed with both secrets is verified with the current one', () => {
    const [old, fresh] = [sign(BODY, WEBHOOK_SECRET), sign(BODY, OTHER_SECRET).replace(/^t=\d+/, '')] as const;
    const secrets = { current: OTHER_SECRET, previous: WEBHOOK_SECRET, previousUntil: new Date('2027-01-01') };
    expect(verified(delivery(BODY, old + fresh), secrets).verifiedWith).toBe('current');
  });

  it('A13 a previous secret without an end, or unusable, is not accepted', () => {
    expect(verdict(delivery(BODY, sign(BODY)), { current: OTHER_SECRET, previous: WEBHOOK_SECRET })).toBe(
      'invalid_signature',
    );
    const empty = createHmac('sha256', '').update(`${NOW_SECONDS}.${BODY}`).digest('hex');
    const secrets = { current: OTHER_SECRET, previous: '', previousUntil: new Date('2027-01-01') };
    expect(verdict(delivery(BODY, `t=${NOW_SECONDS},v1=${empty}`), secrets)).toBe('invalid_signature');
  });
});

describe('the header', () => {
  it('the published vector holds', () => {
    const body = '{"id":"evt_test_1","object":"event","type":"checkout.session.completed"}';
    expect(signatureOf('whsec_test_secret', 1_700_000_000, new TextEncoder().encode(body))).toBe(
      'ca796b857b81e24d595a4c37abf88d2fafb533a32ede6ce4cfc9b0e892a35b08',
    );
  });

  it('a delivery signed by the SDK is verified', () => {
    expect(verdict(delivery(BODY, sign(BODY)))).toBe('verified');
  });

  it.each([
    ['no header', null, 'signature_missing'],
    ['an empty header', '', 'signature_missing'],
    ['a header of spaces', '  ', 'signature_missing'],
    ['a good header twice', [sign(BODY), sign(BODY)], 'invalid_signature'],
    ['a good and an empty header', [sign(BODY), ''], 'invalid_signature'],
    ['two headers joined by a proxy', `${sign(BODY)}, ${sign(BODY)}`, 'invalid_signature'],
    ['64 KB', `${sign(BODY)},v1=${'a'.repeat(65_536)}`, 'invalid_signature'],
    ['only a time', `t=${NOW_SECONDS}`, 'invalid_signature'],
    ['no time', sign(BODY).replace(/^t=\d+,/, ''), 'invalid_signature'],
    ['no sense', 'signature', 'invalid_signature'],
    ['other separators', sign(BODY).replaceAll(',', ';'), 'signature_expired'],
  ] as const)('A02 %s', (_, header, expected) => {
    expect(verdict(delivery(BODY, header))).toBe(expected);
  });

  it('A02 over a socket: the header twice, in other letter case, or too large for the server is never verified', async () => {
    const verdicts: string[] = [];
    const server = createServer((request, response) => {
      const headers = new Map(Object.entries(request.headersDistinct).map(([name, values]) => [name, values ?? []]));
      request.on('data', (chunk: Buffer) => verdicts.push(verdict({ body: chunk, headers, now: NOW })));
      request.on('end', () => response.end());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const post = async (...headers: string[]): Promise<void> => {
      const socket = connect(port, '127.0.0.1');
      const lines = ['POST / HTTP/1.1', 'Host: x', 'Connection: close', `Content-Length: ${BODY.length}`, ...headers];
      socket.write(`${lines.join('\r\n')}\r\n\r\n${BODY}`);
      // The server may cut the connection while we still write; what counts is what it verified.
      socket.on('error', () => undefined).resume();
      await new Promise((resolve) => {
        socket.on('close', resolve);
      });
    };
    const good = sign(BODY);
    await post(`Stripe-Signature: ${good}`);
    await post(`Stripe-Signature: ${good}`, `stripe-signature: ${good}`);
    await post('Stripe-Signature:');
    await post(`Stripe-Signature: ${good},v1=${'a'.repeat(65_536)}`);
    server.close();
    expect(verdicts).toEqual(['verified', 'invalid_signature', 'signature_missing']);
  });

  const mac = sign(BODY).slice(-64);
  it.each([
    ['only v0', `t=${NOW_SECONDS},v0=${mac}`, 'invalid_signature'],
    ['upper case', `t=${NOW_SECONDS},v1=${mac.toUpperCase()}`, 'invalid_signature'],
    ['short', `t=${NOW_SECONDS},v1=${mac.slice(0, 62)}`, 'invalid_signature'],
    ['odd length', `t=${NOW_SECONDS},v1=${mac.slice(0, 63)}`, 'invalid_signature'],
    ['long', `t=${NOW_SECONDS},v1=${mac}00`, 'invalid_signature'],
    ['empty', `t=${NOW_SECONDS},v1=`, 'invalid_signature'],
    ['not hex', `t=${NOW_SECONDS},v1=${'z'.repeat(64)}`, 'invalid_signature'],
    ['a line break after it', `t=${NOW_SECONDS},v1=${mac}\n`, 'invalid_signature'],
    ['the tenth of ten', `t=${NOW_SECONDS}${`,v1=${'0'.repeat(64)}`.repeat(9)},v1=${mac}`, 'verified'],
    ['the eleventh', `t=${NOW_SECONDS}${`,v1=${'0'.repeat(64)}`.repeat(10)},v1=${mac}`, 'invalid_signature'],
    ['the first of fifty', `t=${NOW_SECONDS},v1=${mac}${',v1=0'.repeat(49)}`, 'verified'],
    ['after v0 and an unknown scheme', `t=${NOW_SECONDS},v0=x,v2=y,v1=${mac}`, 'verified'],
  ] as const)('A09 a signature that is %s', (_, header, expected) => {
    expect(verdict(delivery(BODY, header))).toBe(expected);
  });

  it('A09 no header makes the check throw, and none but the right one passes', () => {
    const seed = propertySeed('signature header');
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(`t=${NOW_SECONDS}`, 't=', 'v1=', ',', '=', `v1=${'0'.repeat(64)}`, `v0=${mac}`),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        expect(verdict(delivery(BODY, parts.join(',')))).not.toBe('verified');
      }),
      { seed, numRuns: 20_000 },
    );
  });
});

describe('the time', () => {
  const ten_years = 315_360_000;
  it.each([
    ['-301', 'signature_expired'],
    ['-300', 'verified'],
    ['0', 'verified'],
    ['300', 'verified'],
    ['301', 'signature_expired'],
    [String(ten_years), 'signature_expired'],
    [String(-ten_years), 'signature_expired'],
  ] as const)('A05 a signature of %s s from now is judged by the tolerance of 300 s', (offset, expected) => {
    expect(verdict(delivery(BODY, sign(BODY, WEBHOOK_SECRET, NOW_SECONDS + Number(offset))))).toBe(expected);
  });

  it.each(['NaN', '1e9', '-1', '', '0', '1700000000.0', '0x65a', '１７', `0${NOW_SECONDS}`, '9'.repeat(30)])(
    'A05 a time of t=%s is refused although it is what was signed',
    (time) => {
      const mac = createHmac('sha256', WEBHOOK_SECRET).update(`${time}.${BODY}`).digest('hex');
      expect(verdict(delivery(BODY, `t=${time},v1=${mac}`))).toBe('signature_expired');
    },
  );

  it('A05 two times are refused, whichever comes first', () => {
    const good = sign(BODY);
    expect(verdict(delivery(BODY, `t=1,${good}`))).toBe('signature_expired');
    expect(verdict(delivery(BODY, `${good},t=${NOW_SECONDS}`))).toBe('signature_expired');
  });

  it('A07 an old delivery with a fresh time is refused: the time is signed too', () => {
    const old = sign(BODY, WEBHOOK_SECRET, NOW_SECONDS - 1_000);
    expect(verdict(delivery(BODY, old))).toBe('signature_expired');
    expect(verdict(delivery(BODY, old.replace(/^t=\d+/, `t=${NOW_SECONDS}`)))).toBe('invalid_signature');
  });
});

describe('the body', () => {
  const bytes = new TextEncoder().encode(BODY);
  const pretty = JSON.stringify(EVENT, null, 2);
  it.each([
    ['a trailing newline', `${BODY}\n`],
    ['a trailing zero byte', `${BODY}\0`],
    ['serialised again', JSON.stringify(JSON.parse(pretty))],
    ['with keys in another order', JSON.stringify(Object.fromEntries(Object.entries(EVENT).toReversed()))],
    ['a byte order mark', `\uFEFF${pretty}`],
    ['UTF-16', new Uint8Array(Buffer.from(pretty, 'utf16le'))],
    ['cut short', pretty.slice(0, -1)],
    ['empty', ''],
  ])('A08 a body that is %s is refused: the raw bytes are what is signed', (_, body) => {
    const signed = body === `${BODY}\n` || body === `${BODY}\0` ? BODY : pretty;
    expect(verdict(delivery(signed, sign(signed)))).toBe('verified');
    expect(verdict(delivery(body, sign(signed)))).toBe('invalid_signature');
  });

  it('A08 10,000 signed bodies with any one bit flipped are never accepted', () => {
    const seed = propertySeed('bit flips');
    const event = fc.record({
      id: fc.string({ minLength: 1 }),
      type: fc.string(),
      note: fc.string({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(event, fc.nat(), fc.nat(7), (facts, place, bit) => {
        const body = JSON.stringify({ ...facts, object: 'event', livemode: false });
        const flipped = new TextEncoder().encode(body);
        const index = place % flipped.length;
        flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
        expect(verdict(delivery(flipped, sign(body)))).toBe('invalid_signature');
      }),
      { seed, numRuns: 10_000 },
    );
  }, 60_000);

  it('A08 every single bit of one signed body matters', () => {
    const signature = sign(BODY);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(verdict(delivery(flipped, signature))).toBe('invalid_signature');
    }
  });

  it.each([
    '',
    'null',
    '[]',
    '"event"',
    '{}',
    '{"id":"evt_1"}',
    '{"id":"","object":"event","type":"x","livemode":false}',
    '{',
  ])('A08 a signed body that is not an event is refused: %s', (body) => {
    expect(verdict(delivery(body, sign(body)))).toBe('invalid_request');
  });

  it('A08 a signed body that is not UTF-8 or begins with a byte order mark is refused', () => {
    for (const body of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from(`\uFEFF${BODY}`)]) {
      const header = `t=${NOW_SECONDS},v1=${signatureOf(WEBHOOK_SECRET, NOW_SECONDS, body)}`;
      expect(verdict(delivery(body, header))).toBe('invalid_request');
    }
  });

  it('A08 nothing of an unverified body is parsed', () => {
    const hostile = `{"id":${'['.repeat(100_000)}`;
    expect(verdict(delivery(hostile, sign(BODY)))).toBe('invalid_signature');
  });
});

describe('what an event says', () => {
  const read = (event: object) => {
    const body = JSON.stringify(event);
    return verified(delivery(body, sign(body)));
  };
  const about = (type: string, object: object) => read({ ...EVENT, type, data: { object } });
  const session = EVENT.data.object;

  it('a session event names the order, the payment and our payment', () => {
    expect(read(EVENT)).toEqual({
      eventId: 'evt_1Nh4',
      eventType: 'checkout.session.completed',
      accountId: null,
      isLive: false,
      orderRef: 'cs_test_a1b2c3',
      paymentRef: 'pi_3abc',
      paymentSid: session.metadata.payment_sid,
      refundSid: null,
      refundRef: null,
      verifiedWith: 'current',
    });
  });

  it('a payment intent event and a charge event name the payment', () => {
    const { metadata } = session;
    expect(about('payment_intent.succeeded', { id: 'pi_3abc', object: 'payment_intent', metadata })).toMatchObject({
      orderRef: null,
      paymentRef: 'pi_3abc',
      paymentSid: metadata.payment_sid,
    });
    expect(
      about('charge.succeeded', { id: 'ch_3', object: 'charge', payment_intent: 'pi_3abc', metadata }),
    ).toMatchObject({ orderRef: null, paymentRef: 'pi_3abc', paymentSid: metadata.payment_sid });
  });

  it('A04 a session whose two references differ, or that has only one, names no payment of ours', () => {
    for (const changes of [
      { client_reference_id: 'other' },
      { client_reference_id: null },
      { metadata: {} },
      { metadata: null },
    ]) {
      expect(about('checkout.session.completed', { ...session, ...changes }).paymentSid).toBeNull();
    }
  });

  it('A14 A15 the mode and the account of an event are handed on', () => {
    expect(read({ ...EVENT, livemode: true, account: 'acct_other' })).toMatchObject({
      isLive: true,
      accountId: 'acct_other',
    });
  });

  it.each(['customer.created', 'invoice.paid', 'payment_intent.created', 'x'])(
    'A16 an event of the unknown type %s is verified and names nothing',
    (type) => {
      expect(about(type, session)).toMatchObject({
        eventType: type,
        orderRef: null,
        paymentRef: null,
        paymentSid: null,
      });
    },
  );

  it('A16 a thin event is verified and names nothing', () => {
    const thin = {
      id: 'evt_65Abc',
      object: 'v2.core.event',
      type: 'v1.checkout.session.completed',
      created: '2026-03-01T12:00:00.000Z',
      livemode: false,
      related_object: { id: 'cs_test_a1b2c3', type: 'checkout.session', url: '/v1/checkout/sessions/cs_test_a1b2c3' },
    };
    expect(read(thin)).toMatchObject({ eventId: 'evt_65Abc', orderRef: null, paymentRef: null, paymentSid: null });
  });

  it('A16 names with a meaning to the language are plain text in an event', () => {
    const body = BODY.replace('"metadata":{', '"metadata":{"__proto__":{"payment_sid":"evil"},"constructor":"x",');
    expect(verified(delivery(body, sign(body))).paymentSid).toBe(session.metadata.payment_sid);
    const inherited = BODY.replace(/"metadata":\{[^}]*\}/, '"metadata":{"__proto__":{"payment_sid":"evil"}}');
    expect(verified(delivery(inherited, sign(inherited))).paymentSid).toBeNull();
  });

  it('a refusal quotes neither the secret nor the body', () => {
    for (const sent of [delivery(BODY, null), delivery(BODY, 'x'), delivery('{}', sign('{}'))]) {
      const said = JSON.stringify(verifyStripeWebhook({ current: WEBHOOK_SECRET }, sent));
      expect(said).not.toContain(WEBHOOK_SECRET);
      expect(said).not.toContain('evt_1Nh4');
    }
  });
});
