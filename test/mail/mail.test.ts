import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_TYPE_NAMES } from '../../src/domain/event/types.ts';
import { LANGUAGES, WORDS } from '../../src/domain/language/language.ts';
import { composeLetter, isMailed, MAILED_TYPES } from '../../src/domain/mail/compose.ts';
import { nextMailTryAt } from '../../src/domain/mail/schedule.ts';
import { emit } from '../../src/operations/event/emit.ts';
import { watchStandings } from '../../src/operations/standing/watch.ts';
import type { House } from '../../src/operations/house.ts';
import { mailList } from '../../src/operations/mail/list.ts';
import { mailResend } from '../../src/operations/mail/resend.ts';
import { sendDueMails } from '../../src/operations/mail/send.ts';
import { userGet } from '../../src/operations/user/get.ts';
import { userUpdate } from '../../src/operations/user/update.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { smtpMailer } from '../../src/ports/smtp-mailer.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { openSmtpServer, type SmtpServer } from '../support/smtp-server.ts';

let story: PaymentStory;
let server: SmtpServer;
let mailing: House;
beforeAll(async () => {
  [story, server] = await Promise.all([paymentStory(), openSmtpServer()]);
  mailing = withMailer(story.house);
});
afterAll(async () => {
  await server.close();
  await story.close();
});

const withMailer = (house: House): House => ({
  ...house,
  mailer: smtpMailer({ url: server.url, from: 'wallet@example.org', mustEncrypt: false }),
});

async function ask(operation: Operation, input: unknown, actor: Actor) {
  const { status, body } = await story.run(operation, input, { actor });
  return { status, json: JSON.parse(body) as Record<string, unknown> };
}
const update = (actor: Actor & { kind: 'user' }, change: Record<string, unknown>) =>
  ask(userUpdate, { sid: actor.userSid, ...change }, actor);

async function newUser(change: Record<string, unknown> = { email: 'ada@example.org' }) {
  const [wallet] = await openWallets(story.house.db, story.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const actor = userActor(wallet) as Actor & { kind: 'user' };
  expect((await update(actor, change)).status).toBe(200);
  const tell = (type: 'payment.credited' | 'refund.requested' = 'payment.credited') =>
    story.house.db.transaction('test.emit', (tx) =>
      emit(tx, story.house, {
        type,
        of: { wallet: wallet.id, walletSid: wallet.sid, userSid: wallet.userSid },
        facts: { amount: '25.00', currency: 'USD' },
      }),
    );
  const mails = async () => {
    const { json } = await ask(mailList, { limit: 200 }, OPERATOR);
    return (json['items'] as Record<string, unknown>[]).filter((mail) => mail['user_sid'] === wallet.userSid);
  };
  return { wallet, actor, tell, mails };
}

describe('a mail', () => {
  it('is written to a user who gave an address, in the user’s language; to another none', async () => {
    const user = await newUser({ email: 'ada@example.org', language: 'sw', display_name: 'Ada' });
    const other = await newUser({ email: null });
    await user.tell();
    await other.tell();
    await user.tell('refund.requested');
    await sendDueMails(mailing);
    expect(await other.mails()).toEqual([]);
    expect(await user.mails()).toMatchObject([
      {
        state: 'sent',
        language: 'sw',
        recipient: 'ada@example.org',
        subject: '[Pesa za majaribio] Malipo yako yamefika',
        tries: 1,
      },
    ]);
    const [mail] = server.taken.splice(0);
    expect(mail).toMatchObject({ from: expect.stringContaining('<wallet@example.org>') as string });
    expect(mail?.to).toEqual([expect.stringContaining('<ada@example.org>')]);
    expect(mail?.message).toMatch(/^Subject: \[Pesa za majaribio\] Malipo yako yamefika\r$/m);
    expect(mail?.message).toContain('Barua pepe hii inatoka kwenye mfumo wa majaribio.');
    expect(mail?.message).toContain('Habari Ada,');
    expect(mail?.message).toContain('25.00 USD ziko kwenye pochi yako.');
  });

  it('is kept and shown where there is no mail server, and can be sent once there is one', async () => {
    const user = await newUser();
    await user.tell();
    await sendDueMails(story.house);
    const [kept] = await user.mails();
    expect(kept).toMatchObject({ state: 'kept', subject: '[Play money] Your payment has arrived' });
    expect(String(kept?.['text'])).toContain('25.00 USD are in your wallet.');
    expect(String(kept?.['text'])).toContain('http://127.0.0.1:9920/wallet');
    expect(server.taken).toEqual([]);
    expect((await ask(mailResend, { sid: kept?.['sid'] }, user.actor)).status).toBe(403);
    expect((await ask(mailResend, { sid: kept?.['sid'] }, OPERATOR)).json).toMatchObject({ state: 'pending' });
    await sendDueMails(mailing);
    expect(await user.mails()).toMatchObject([{ state: 'sent' }]);
    expect((await ask(mailResend, { sid: kept?.['sid'] }, OPERATOR)).status).toBe(409);
    expect((await ask(mailResend, { sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' }, OPERATOR)).status).toBe(404);
    server.taken.length = 0;
  });

  it('about a wallet that went from full to empty is one, which says so', async () => {
    const user = await newUser();
    await fund(story.house.db, story.ports, user.wallet, 10_000_000n);
    await watchStandings(story.house);
    await fund(story.house.db, story.ports, user.wallet, -10_000_000n);
    await watchStandings(story.house);
    expect((await user.mails()).map((mail) => mail['event_type'])).toEqual(['wallet.empty']);
    await sendDueMails(story.house);
  });

  it('that the server does not take now is tried again, a bounded number of times; one it will never take is not', async () => {
    const user = await newUser();
    await user.tell();
    server.answerRecipients('451 later');
    for (let tries = 1; tries <= 7; tries += 1) {
      await sendDueMails(mailing);
      expect(await user.mails()).toMatchObject([{ tries, state: tries < 7 ? 'pending' : 'failed' }]);
      await story.ports.clock.advance(24 * 3_600_000);
    }
    expect(await sendDueMails(mailing)).toBe(0);
    server.answerRecipients('550 no such user');
    await user.tell();
    await sendDueMails(mailing);
    const [refused] = await user.mails();
    expect(refused).toMatchObject({ state: 'failed', tries: 1, reason: 'the mail server answered 550' });
    server.answerRecipients(null);
    expect(nextMailTryAt(new Date(0), 7)).toBeNull();
  });

  it('G01 is sent at least once and under one Message-ID when the process dies anywhere', async () => {
    const calm = story.anotherProcess();
    await (await newUser()).tell();
    await sendDueMails(withMailer(calm.house));
    const places = calm.ports.crash.reached.length;
    expect(places).toBeGreaterThan(8);
    server.taken.length = 0;
    for (let place = 0; place < places; place += 1) {
      await (await newUser()).tell();
      const dying = story.anotherProcess();
      dying.ports.crash.dieAfter(place);
      await sendDueMails(withMailer(dying.house)).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      await story.ports.clock.advance(10 * 60_000);
      await expect
        .poll(async () => {
          await sendDueMails(withMailer(story.anotherProcess({ poolMax: 2 }).house));
          return server.taken.length;
        })
        .toBeGreaterThan(0);
      const ids = server.taken.splice(0).map(({ message }) => /^Message-ID: (.*)$/im.exec(message)?.[1]);
      expect(new Set(ids).size).toBe(1);
      expect(ids.length).toBeLessThanOrEqual(2);
    }
  });
});

describe('what a mail says', () => {
  const letter = {
    language: 'en',
    name: 'Ada',
    link: 'https://wallet.example.org/wallet',
    isPlayMoney: false,
  } as const;

  it('is there for every type, in every language, without a hole, whatever the event knows', () => {
    for (const language of LANGUAGES) {
      for (const type of MAILED_TYPES) {
        for (const facts of [{}, { amount: '1.00', currency: 'USD', balance: '0.00', url: 'https://x.example/' }]) {
          const { subject, text, html } = composeLetter({ ...letter, language, type, facts });
          for (const said of [subject, text, html]) expect(said).not.toMatch(/[{}]|undefined|null/);
          expect(text.split('\n\n').length).toBeGreaterThanOrEqual(3);
        }
      }
    }
    expect(EVENT_TYPE_NAMES.filter(isMailed)).toHaveLength(MAILED_TYPES.length);
  });

  it('says first of play money that it is none, in subject, text and page; of real money nothing', () => {
    for (const language of LANGUAGES) {
      const about = { ...letter, language, type: 'payment.credited', facts: {} } as const;
      const play = composeLetter({ ...about, isPlayMoney: true });
      expect(play.subject).toBe(
        `[${{ en: 'Play money', sw: 'Pesa za majaribio' }[language]}] ${WORDS[language].mail_credited}`,
      );
      expect(play.text.startsWith(WORDS[language].mail_play)).toBe(true);
      expect(play.html).toContain(`<p>${WORDS[language].mail_play}</p>`);
      const real = composeLetter(about);
      for (const said of [real.subject, real.text, real.html]) expect(said).not.toMatch(/play money|majaribio/i);
    }
  });

  it('has the same holes in every language', () => {
    const holes = (sentence: string) => [...sentence.matchAll(/\{[a-z_]+\}/g)].map(([hole]) => hole).sort();
    for (const language of LANGUAGES) {
      for (const [key, sentence] of Object.entries(WORDS.en)) {
        expect([key, holes(WORDS[language][key as keyof typeof WORDS.en])]).toEqual([key, holes(sentence)]);
      }
    }
  });

  it('K06 takes names and facts for text: no template, no markup', () => {
    const name = '{{7*7}} ${x} {amount} <img src=x onerror=alert(1)>';
    const facts = { amount: '"><script>', currency: '{balance}' };
    const { text, html } = composeLetter({ ...letter, type: 'payment.credited', name, facts });
    expect(text).toContain('Hello {{7*7}} ${x} {amount} <img src=x onerror=alert(1)>,');
    expect(text).toContain('"><script> {balance} are in your wallet.');
    expect(html).not.toMatch(/<img|<script/);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });

  it('K07 has no line break from a name in a header, and one recipient whatever the address says', async () => {
    const { subject, text } = composeLetter({
      ...letter,
      type: 'payment.credited',
      name: 'Ada\r\nBcc: eve@example.org\r\n\r\nHi',
      facts: {},
    });
    expect(subject).toBe('Your payment has arrived');
    expect(text.startsWith('Hello Ada Bcc: eve@example.org Hi,')).toBe(true);
    const mailer = smtpMailer({ url: server.url, from: 'wallet@example.org', mustEncrypt: false });
    const to = 'ada@example.org\r\nRCPT TO:<eve@example.org>, mallory@example.org';
    server.taken.length = 0;
    await mailer
      .send({ to, subject: 'a\r\nBcc: eve@example.org', text: 'x', html: '<p>x</p>', id: 'one' })
      .catch(() => undefined);
    for (const { to: recipients, message } of server.taken) {
      expect(recipients).toHaveLength(1);
      expect(message).not.toMatch(/^Bcc:/im);
    }
  });
});

describe('the address of a user', () => {
  it.each([
    'not an address',
    'ada@example.org\r\nBcc: eve@example.org',
    'ada@example.org, eve@example.org',
    'Ada <ada@example.org>',
    '@example.org',
    `${'a'.repeat(250)}@example.org`,
    '',
  ])('K07 is not %j', async (email) => {
    const user = await newUser({ email: null });
    expect((await update(user.actor, { email })).status).toBe(400);
  });

  it('is changed by its user and by an operator, and by nobody else', async () => {
    const [user, other] = [await newUser(), await newUser()];
    const change = { sid: user.wallet.userSid, email: 'eve@example.org' };
    expect((await ask(userUpdate, change, other.actor)).status).toBe(404);
    expect((await ask(userGet, { sid: user.wallet.userSid }, other.actor)).status).toBe(404);
    expect((await ask(userUpdate, change, OPERATOR)).json).toMatchObject({ email: 'eve@example.org', language: 'en' });
    expect((await ask(userGet, { sid: user.wallet.userSid }, user.actor)).json).toMatchObject({
      email: 'eve@example.org',
    });
    expect((await update(user.actor, { email: null, language: 'sw' })).json).toMatchObject({
      email: null,
      language: 'sw',
    });
    expect((await update(user.actor, { language: 'xx' })).status).toBe(400);
  });

  it('stands in no audit row', async () => {
    const text = `select count(*) as count from audit where audit::text like '%@example.org%'`;
    expect(await story.database.owner.query({ name: 'test.audit', text })).toEqual([{ count: 0n }]);
  });
});
