import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { judgeAttempt } from '../../src/domain/event/delivery.ts';
import { secretText, webhookHeaders } from '../../src/domain/event/signature.ts';
import { isSealedWith, seal, unseal } from '../../src/domain/seal.ts';

const now = new Date('2026-03-01T12:00:00Z');
const facts = { status: 500, retryAfter: null, isTimeout: false };
const context = { now, tries: 1, failingSince: null, chance: 0 };
const secondsTo = (date: Date | null): number | null =>
  date === null ? null : (date.getTime() - now.getTime()) / 1_000;

describe('I08 when an attempt is made again', () => {
  it('ten attempts in about three days, then it is given up', () => {
    const waits = Array.from({ length: 10 }, (_, index) => {
      const { state, dueAt } = judgeAttempt(facts, { ...context, tries: index + 1 });
      return state === 'failed' ? 'failed' : secondsTo(dueAt);
    });
    expect(waits).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 'failed']);
  });

  it('chance makes it up to a fifth later, never sooner', () => {
    expect(secondsTo(judgeAttempt(facts, { ...context, tries: 2, chance: 1 }).dueAt)).toBe(360);
  });

  it.each([199, 301, 302, 400, 404, 410, 500])('%s is a failure', (status) => {
    expect(judgeAttempt({ ...facts, status }, context).state).toBe('pending');
  });
  it.each([200, 201, 204, 299])('%s ends it, and the endpoint is well again', (status) => {
    const failingSince = new Date(0);
    expect(judgeAttempt({ ...facts, status }, { ...context, failingSince })).toEqual({
      state: 'delivered',
      dueAt: null,
      failingSince: null,
      notBefore: null,
      disable: null,
    });
  });

  it('410 switches the endpoint off at once, other failures after five days without a success', () => {
    expect(judgeAttempt({ ...facts, status: 410 }, context).disable).toBe('gone');
    const days = (count: number) => new Date(now.getTime() - count * 86_400_000);
    expect(judgeAttempt(facts, { ...context, failingSince: days(4.9) }).disable).toBeNull();
    expect(judgeAttempt(facts, { ...context, failingSince: days(5) }).disable).toBe('failing');
    expect(judgeAttempt(facts, context).failingSince).toEqual(now);
  });

  it.each([
    ['429 without a word', { status: 429 }, 30],
    ['502', { status: 502 }, 30],
    ['504', { status: 504 }, 30],
    ['a timeout', { status: null, isTimeout: true }, 30],
    ['429 that says', { status: 429, retryAfter: '3600' }, 3_600],
    ['429 that says less than a breather', { status: 429, retryAfter: '1' }, 30],
    ['503 that says', { status: 503, retryAfter: '120' }, 120],
    ['a date', { status: 503, retryAfter: 'Sun, 01 Mar 2026 12:10:00 GMT' }, 600],
    ['a date that is over', { status: 503, retryAfter: 'Sun, 01 Mar 2026 11:10:00 GMT' }, 0],
    ['more than a day', { status: 429, retryAfter: '999999' }, 86_400],
    ['nonsense', { status: 503, retryAfter: 'soon' }, null],
    ['a plain failure', { status: 500 }, null],
  ])('the endpoint is left alone after %s', (_name, told, seconds) => {
    const { notBefore, dueAt } = judgeAttempt({ ...facts, ...told }, context);
    expect(secondsTo(notBefore)).toBe(seconds);
    expect(secondsTo(dueAt)).toBe(Math.max(5, seconds ?? 0));
  });
});

describe('I09 what is signed is verified by an independent library', () => {
  const secret = secretText(Uint8Array.from({ length: 32 }, (_, index) => index));
  const other = secretText(Uint8Array.from({ length: 32 }, () => 7));
  const timestamp = Math.floor(Date.now() / 1_000);
  const body = '{"type":"wallet.empty","timestamp":"2026-03-01T12:00:00.000Z","data":{"name":"Zoë ☂"}}';

  it('with one secret, and during a rotation with either', () => {
    const one = webhookHeaders([secret], { id: '01JD9ZQ4T2V6M0F8K3A5B7C9D1', timestamp, body });
    expect(new Webhook(secret).verify(body, one)).toEqual(JSON.parse(body));
    const both = webhookHeaders([secret, other], { id: '01JD9ZQ4T2V6M0F8K3A5B7C9D1', timestamp, body });
    for (const known of [secret, other]) expect(new Webhook(known).verify(body, both)).toBeTruthy();
    expect(() => new Webhook(other).verify(body, one)).toThrow('signature');
    expect(() => new Webhook(secret).verify(`${body} `, one)).toThrow('signature');
  });

  it('as the published vector has it', () => {
    const vector = {
      id: 'msg_1',
      timestamp: 1_700_000_000,
      body: '{"type":"wallet.credited","timestamp":"2023-11-14T22:13:20Z","data":{}}',
    };
    expect(webhookHeaders(['whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='], vector)['webhook-signature']).toBe(
      'v1,trqzj6XI4jcFntUU0spzG0ef4PXrLQAMSY2UaPgm1VI=',
    );
  });
});

describe('I12 a secret that is kept', () => {
  const nonce = Uint8Array.from({ length: 12 }, (_, index) => index);
  const sealed = seal('key one', 'whsec_abc', 'endpoint:A', nonce);

  it('is opened by its key, for its place, and by nothing else', () => {
    expect(unseal(['key one'], sealed, 'endpoint:A')).toBe('whsec_abc');
    expect(unseal(['key two', 'key one'], sealed, 'endpoint:A')).toBe('whsec_abc');
    expect(unseal(['key two'], sealed, 'endpoint:A')).toBeNull();
    expect(unseal(['key one'], sealed, 'endpoint:B')).toBeNull();
    expect(isSealedWith('key one', sealed)).toBe(true);
    expect(isSealedWith('key two', sealed)).toBe(false);
  });

  it('is not opened when a bit of it was changed, or it was cut', () => {
    const start = sealed.lastIndexOf('.') + 1;
    const bytes = Buffer.from(sealed.slice(start), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(unseal(['key one'], sealed.slice(0, start) + changed.toString('base64url'), 'endpoint:A')).toBeNull();
    }
    for (const text of ['', 'whsec_abc', sealed.slice(0, start + 20)]) {
      expect(unseal(['key one'], text, 'endpoint:A')).toBeNull();
    }
  });
});
