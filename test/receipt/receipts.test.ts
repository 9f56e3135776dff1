import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { composeReceipt } from '../../src/domain/receipt/compose.ts';
import { percentText, receiptNumber, taxWithin, type ReceiptFacts } from '../../src/domain/receipt/receipt.ts';
import { issueReceipts } from '../../src/operations/receipt/issue.ts';
import { receiptDownload } from '../../src/operations/receipt/download.ts';
import { receiptList } from '../../src/operations/receipt/list.ts';
import type { House } from '../../src/operations/house.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { insertPaymentEvent, type PaymentEventKind } from '../../src/store/payment-event.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';

let story: PaymentStory;
let paymentSid: string;
beforeAll(async () => {
  story = await paymentStory();
  ({ sid: paymentSid } = await story.paid('25.00'));
  await settlePayment(story.house, paymentSid, { kind: 'poller', actorId: 'system:poller', requestId: 'req_1' });
});
// Movements without postings stand in for those of refunds and disputes: the ledger of this story does not add up.
afterAll(() => story.close({ isBroken: true }));

let refs = 0;
/** A movement at the provider, as a refund or a dispute writes it. */
async function moved(kind: PaymentEventKind, amount: bigint): Promise<string> {
  const sid = story.ports.ids.sid();
  const { wallet } = story;
  await story.house.db.transaction('test.moved', (tx) =>
    insertPaymentEvent(tx, {
      sid,
      userSid: wallet.userSid,
      wallet: wallet.id,
      paymentSid,
      provider: 'stripe',
      providerAccount: 'acct_1',
      kind,
      externalRef: `ref_${(refs += 1)}`,
      amount: micros(amount),
      currency: 'USD',
      createdAt: story.ports.clock.now(),
    }),
  );
  return sid;
}

interface Listed {
  readonly sid: string;
  readonly number: string | null;
  readonly series: string;
}
async function listed(actor: Actor = story.actor): Promise<Listed[]> {
  const reply = await story.run(receiptList, { limit: 200 }, { actor });
  return (JSON.parse(reply.body) as { items: Listed[] }).items.toReversed();
}
const numbers = async (): Promise<(string | null)[]> => (await listed()).map(({ number }) => number);
async function download(sid: string, how: { house?: House; actor?: Actor } = {}) {
  const reply = await story.run(receiptDownload, { sid }, how);
  return { status: reply.status, json: JSON.parse(reply.body) as Record<string, string> };
}
async function factsOf(sid: string): Promise<ReceiptFacts> {
  const query = { name: 'test.facts', text: 'select facts from receipt where sid = $1' };
  const [row] = await story.database.owner.query<{ facts: ReceiptFacts }>(query, [sid]);
  if (!row) throw new Error('no such receipt');
  return row.facts;
}

describe('a credited payment', () => {
  it('is given a receipt with the next number, once', async () => {
    expect(await numbers()).toEqual([null]);
    await Promise.all([issueReceipts(story.house), issueReceipts(story.anotherProcess().house)]);
    await issueReceipts(story.house);
    expect(await numbers()).toEqual(['R-2026-000001']);
    const [{ sid } = { sid: '' }] = await listed();
    expect(await factsOf(sid)).toMatchObject({
      amount: '25.00',
      payment_sid: paymentSid,
      tax: null,
      corrects: null,
      is_play_money: true,
    });
  });

  it('what goes back is given a credit note that names the receipt; what is withheld is given nothing', async () => {
    const back = await moved('refund', -10_000_000n);
    await moved('dispute_opened', -5_000_000n);
    await moved('dispute_won', 5_000_000n);
    await moved('refund_returned', 10_000_000n);
    await issueReceipts(story.house);
    expect(await numbers()).toEqual(['R-2026-000001', 'C-2026-000001', 'R-2026-000002']);
    expect(await factsOf(back)).toMatchObject({ series: 'credit_note', amount: '10.00', corrects: 'R-2026-000001' });
  });
});

describe('the numbers of a series', () => {
  it('have no gap when many processes issue at once, and when some of them die', async () => {
    const before = (await listed()).length;
    for (let count = 0; count < 24; count += 1) await moved('top_up', 1_000_000n);
    const processes = Array.from({ length: 4 }, () => story.anotherProcess({ poolMax: 3 }));
    for (const [index, { ports }] of processes.entries()) if (index < 2) ports.crash.dieAfter(30 + 17 * index);
    const ends = await Promise.allSettled(processes.map(({ house }) => issueReceipts(house)));
    const died = ends.filter((end) => end.status === 'rejected');
    expect(died.length).toBeGreaterThan(0);
    for (const { reason } of died) expect(reason).toBeInstanceOf(Crash);
    await expect
      .poll(async () => {
        await issueReceipts(story.house);
        return (await numbers()).filter((number) => number === null).length;
      })
      .toBe(0);
    const all = await listed();
    expect(all).toHaveLength(before + 24);
    for (const [series, letter] of [
      ['receipt', 'R'],
      ['credit_note', 'C'],
    ] as const) {
      const given = all.filter((one) => one.series === series).map(({ number }) => number ?? '');
      const expected = given.map((_, index) => `${letter}-2026-${String(index + 1).padStart(6, '0')}`);
      expect(new Set(given)).toEqual(new Set(expected));
    }
  });

  it('a process that dies at any place of it leaves no gap', async () => {
    let places = 1;
    for (let place = 0; place < places; place += 1) {
      const sid = await moved('top_up', 1_000_000n);
      const dying = story.anotherProcess({ poolMax: 2 });
      if (place === 0) {
        await issueReceipts(dying.house);
        places = dying.ports.crash.reached.length;
        continue;
      }
      dying.ports.crash.dieAfter(place);
      await expect(issueReceipts(dying.house)).rejects.toThrow(Crash);
      await expect
        .poll(async () => {
          await issueReceipts(story.house);
          return (await listed()).find((one) => one.sid === sid)?.number ?? null;
        })
        .not.toBeNull();
    }
    expect(places).toBeGreaterThan(10);
    const given = (await listed()).filter(({ series }) => series === 'receipt').map(({ number }) => number ?? '');
    expect(new Set(given).size).toBe(given.length);
    expect(given.toSorted((a, b) => a.localeCompare(b)).at(-1)).toBe(receiptNumber('receipt', 2026, given.length));
  });

  it('begin anew with a year', async () => {
    const { house } = story.anotherProcess({ now: new Date('2027-01-01T00:00:01Z') });
    const sid = await moved('top_up', 1_000_000n);
    await issueReceipts(house);
    expect((await factsOf(sid)).number).toBe('R-2027-000001');
  });

  it('are not changed by anybody, the owner of the tables included', async () => {
    for (const [index, text] of [
      `update receipt set number = 99 where number is not null`,
      `delete from receipt`,
      `truncate receipt cascade`,
      `update receipt_file set made_at = now()`,
    ].entries()) {
      await expect(story.database.owner.query({ name: `test.change_${index}`, text })).rejects.toThrow('append-only');
    }
  });
});

describe('the file of a receipt', () => {
  it('is a PDF with the same bytes every time, whatever the configuration says later', async () => {
    const sid = await moved('top_up', 25_000_000n);
    const first = await download(sid);
    expect(first).toMatchObject({ status: 200, json: { media_type: 'application/pdf' } });
    expect(first.json['file_name']).toMatch(/^R-2026-\d{6}\.pdf$/);
    const bytes = Buffer.from(first.json['content_base64'] ?? '', 'base64');
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
    const issuer = { name: 'Another House', address: [], taxNumber: 'X', tax: { name: 'VAT', basisPoints: 1_800n } };
    const changed = { ...story.house, settings: { ...story.house.settings, issuer } };
    expect((await download(sid, { house: changed })).json).toEqual(first.json);
    expect((await download(sid, { actor: OPERATOR })).json).toEqual(first.json);
  });

  it('that two ask for at once is made once', async () => {
    const sid = await moved('top_up', 25_000_000n);
    const files = await Promise.all([download(sid), download(sid, { house: story.anotherProcess().house })]);
    expect(files[1]?.json).toEqual(files[0]?.json);
  });

  it('J05 is nobody else’s: 404, as if it did not exist', async () => {
    const [{ sid } = { sid: '' }] = await listed();
    const other: Actor = { kind: 'user', id: 'user:01JD9ZQ4T2V6M0F8K3A5B7C9D1', userSid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' };
    const [foreign, absent] = [
      await download(sid, { actor: other }),
      await download('01JD9ZQ4T2V6M0F8K3A5B7C9D1', { actor: other }),
    ];
    expect([foreign.status, foreign.json['detail']]).toEqual([404, absent.json['detail']]);
    expect(await listed(other)).toEqual([]);
  });
});

describe('what a receipt says', () => {
  const facts: ReceiptFacts = {
    series: 'receipt',
    number: 'R-2026-000007',
    issued_at: '2026-03-01T12:00:00.000Z',
    language: 'en',
    seller: { name: 'House', address: ['1 Street', 'Town'], tax_number: 'P05' },
    buyer: { name: '{amount} {{7*7}} ${x}', user_sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' },
    kind: 'top_up',
    moved_at: '2026-02-28T23:59:59.000Z',
    provider: 'stripe',
    external_ref: 'pi_1',
    payment_sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D2',
    amount: '25.00',
    currency: 'USD',
    tax: { name: 'VAT', percent: '18', net: '21.19', amount: '3.81' },
    corrects: null,
  };

  it('is in the user’s language, with the tax that the price includes', () => {
    expect(composeReceipt(facts)).toMatchObject({
      title: 'Receipt',
      parties: [{ lines: ['House', '1 Street', 'Town', 'Tax number: P05'] }, {}],
      rows: [['Wallet top-up', '25.00 USD']],
      sums: [
        ['Net', '21.19 USD'],
        ['VAT 18 % included', '3.81 USD'],
      ],
      total: ['Total', '25.00 USD'],
    });
    expect(composeReceipt({ ...facts, language: 'sw' })).toMatchObject({
      title: 'Stakabadhi',
      sums: [
        ['Kiasi kabla ya kodi', '21.19 USD'],
        ['VAT 18 % imejumuishwa', '3.81 USD'],
      ],
    });
    const note = composeReceipt({ ...facts, series: 'credit_note', kind: 'refund', corrects: 'R-2026-000001' });
    expect([note.title, note.facts.at(-1)]).toEqual(['Credit note', ['For receipt', 'R-2026-000001']]);
  });

  it('says of play money that it is no receipt, in every language, and of real money nothing', () => {
    const mark = (change: Partial<ReceiptFacts>) => composeReceipt({ ...facts, ...change }).mark?.text;
    expect(mark({ is_play_money: true })).toBe('PLAY MONEY · NOT A RECEIPT');
    expect(mark({ is_play_money: true, series: 'credit_note' })).toBe('PLAY MONEY · NOT A CREDIT NOTE');
    expect(mark({ is_play_money: true, language: 'sw' })).toBe('PESA ZA MAJARIBIO · HII SI STAKABADHI');
    expect([mark({ is_play_money: false }), mark({})]).toEqual([undefined, undefined]);
  });

  it('K06 takes a name for what it is, not for a template', () => {
    expect(composeReceipt(facts).parties[1]?.lines[0]).toBe('{amount} {{7*7}} ${x}');
    const named = composeReceipt({ ...facts, tax: { name: '{percent}', percent: '18', net: '1.00', amount: '0.18' } });
    expect(named.sums[1]?.[0]).toBe('{percent} 18 % included');
  });

  it('net and tax add up to what was paid, to the cent', () => {
    for (let cents = 1n; cents <= 2_000n; cents += 1n) {
      for (const rate of [1n, 700n, 1_650n, 1_800n, 2_500n, 9_999n]) {
        const gross = micros(cents * 10_000n);
        const { net, tax } = taxWithin(gross, rate);
        expect(net + tax).toBe(gross);
        expect(tax % 10_000n).toBe(0n);
        // Within half a cent of the exact share.
        const exact = gross * rate - tax * (10_000n + rate);
        expect(exact < 0n ? -exact : exact).toBeLessThanOrEqual(5_000n * (10_000n + rate));
      }
    }
    expect([1_800n, 1_650n, 1_605n, 5n].map(percentText)).toEqual(['18', '16.5', '16.05', '0.05']);
  });
});
