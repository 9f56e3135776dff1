import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mayReach } from '../../src/domain/event/address.ts';
import { WebhookNotSent, type WebhookRequest } from '../../src/ports/ports.ts';
import { webhookSender, type Resolve } from '../../src/ports/webhook-sender.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await openReceiver();
});
afterAll(() => receiver.close());

const port = (): string => new URL(receiver.url).port;
const request = (url: string, more: Partial<WebhookRequest> = {}): WebhookRequest => ({
  url,
  headers: { 'content-type': 'application/json' },
  body: '{"a":"ä"}',
  mayReach: () => true,
  signal: AbortSignal.timeout(5_000),
  answerBytesMax: 1_024,
  ...more,
});
const strict = (address: string): boolean => mayReach(address, { mayLoopBack: false, allowed: [] });
const reasonOf = async (sent: Promise<unknown>): Promise<string> => {
  const error: unknown = await sent.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof WebhookNotSent ? error.reason : `not refused: ${String(error)}`;
};
/** A resolver that answers from a script, a list of addresses a time. */
function scripted(...answers: readonly (readonly string[])[]): { readonly resolve: Resolve; asked: number } {
  const script = {
    asked: 0,
    resolve: ((_name, done) => {
      const answer = answers[Math.min(script.asked, answers.length - 1)] ?? [];
      script.asked += 1;
      done(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) satisfies Resolve,
  };
  return script;
}

describe('the address that is connected to', () => {
  it('is judged also when the URL names it', async () => {
    expect(await reasonOf(webhookSender().post(request(receiver.url, { mayReach: strict })))).toBe('address_refused');
    const mapped = `http://[::ffff:127.0.0.1]:${port()}/`;
    expect(await reasonOf(webhookSender().post(request(mapped, { mayReach: strict })))).toBe('address_refused');
    expect(receiver.received).toEqual([]);
  });

  it('I06 is the one that was judged: a name that leads elsewhere the next time is looked up once', async () => {
    const rebinding = scripted(['127.0.0.1'], ['10.0.0.1']);
    const judged: string[] = [];
    const mayReachOnce = (address: string): boolean => {
      judged.push(address);
      return true;
    };
    const url = `http://rebinding.example:${port()}/rebinding`;
    const answer = await webhookSender(rebinding.resolve).post(request(url, { mayReach: mayReachOnce }));
    expect(answer.status).toBe(204);
    expect([rebinding.asked, judged]).toEqual([1, ['127.0.0.1']]);
    expect(receiver.at('/rebinding')[0]?.headers.host).toBe(`rebinding.example:${port()}`);
  });

  it('I06 is never an inner one, whatever else the name leads to', async () => {
    const inner = scripted(['127.0.0.1', '10.0.0.1', 'fd00::1', '::ffff:127.0.0.1']);
    const sent = webhookSender(inner.resolve).post(
      request(`http://inner.example:${port()}/inner`, { mayReach: strict }),
    );
    expect(await reasonOf(sent)).toBe('address_refused');
    expect(receiver.at('/inner')).toEqual([]);
    const judged: string[] = [];
    const mixed = scripted(['10.0.0.1', '127.0.0.1']);
    const onlyLoopback = (address: string): boolean => {
      judged.push(address);
      return address === '127.0.0.1';
    };
    const answer = await webhookSender(mixed.resolve).post(
      request(`http://mixed.example:${port()}/mixed`, { mayReach: onlyLoopback }),
    );
    expect([answer.status, judged]).toEqual([204, ['10.0.0.1', '127.0.0.1']]);
  });

  it('a name without addresses, or that nobody knows, is told apart', async () => {
    expect(await reasonOf(webhookSender(scripted([]).resolve).post(request('http://none.example/')))).toBe(
      'address_refused',
    );
    const unknown: Resolve = (_name, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
    expect(await reasonOf(webhookSender(unknown).post(request('http://unknown.example/')))).toBe('name_unknown');
  });
});

describe('I07 an answer', () => {
  it('that redirects is an answer, and not followed', async () => {
    receiver.answer('/redirects', (response) => response.writeHead(302, { location: `${receiver.url}/secret` }).end());
    expect((await webhookSender().post(request(`${receiver.url}/redirects`))).status).toBe(302);
    expect(receiver.at('/secret')).toEqual([]);
  });

  it('without an end is read no further than its beginning', async () => {
    receiver.answer('/endless', (response) => {
      response.writeHead(200, { 'retry-after': '7' });
      const more = (): void => {
        if (response.destroyed) return;
        if (response.write('x'.repeat(65_536))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    });
    const answer = await webhookSender().post(request(`${receiver.url}/endless`));
    expect([answer.status, answer.retryAfter, answer.start.byteLength]).toEqual([200, '7', 1_024]);
  });

  it('that stops after its status counts by its status; none at all is a timeout', async () => {
    receiver.answer('/stops', (response) => {
      response.writeHead(200);
      response.write('begun');
    });
    receiver.answer('/silent', () => undefined);
    const short = () => ({ signal: AbortSignal.timeout(100) });
    const stopped = await webhookSender().post(request(`${receiver.url}/stops`, short()));
    expect([stopped.status, Buffer.from(stopped.start).toString()]).toEqual([200, 'begun']);
    expect(await reasonOf(webhookSender().post(request(`${receiver.url}/silent`, short())))).toBe('timeout');
  });

  it('of a server that is not there, breaks off, or speaks no TLS is a reason', async () => {
    receiver.answer('/breaks', (response) => response.socket?.destroy());
    expect(await reasonOf(webhookSender().post(request(`${receiver.url}/breaks`)))).toBe('connection');
    expect(await reasonOf(webhookSender().post(request('http://127.0.0.1:1/')))).toBe('connection');
    expect(await reasonOf(webhookSender().post(request(`https://127.0.0.1:${port()}/`)))).toBe('tls');
  });

  it('is to the very bytes that were signed', async () => {
    await webhookSender().post(request(`${receiver.url}/bytes`));
    expect(receiver.at('/bytes')[0]).toMatchObject({ body: '{"a":"ä"}', headers: { 'content-length': '10' } });
  });
});
