import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import { listen, type Listening } from '../../src/http/server.ts';
import type { House } from '../../src/operations/house.ts';
import { systemClock, systemPorts } from '../../src/ports/system.ts';
import { ADMIN_SECRET, AS_OPERATOR, testSite, type TestSite } from './site.ts';

let site: TestSite;
let server: Listening;
beforeAll(async () => {
  site = await testSite();
  server = await start(site.house);
});
afterAll(async () => {
  await server.stop();
  await site.close();
});

async function start(house: House, isStopping: () => boolean = () => false): Promise<Listening> {
  const app = buildHttp(house, {
    adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
    ping: () => Promise.resolve(),
    isStopping,
  });
  return await listen(app, {
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log: systemPorts({ logLevel: 'silent' }).log,
  });
}

/** Sends bytes as they are and answers everything that comes back until the other side closes. */
function raw(text: string, { port } = server): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(received));
    socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)));
  });
}

const HEAD = [
  'POST /admin/balance-adjust HTTP/1.1',
  'Host: x',
  'Connection: close',
  'Content-Type: application/json',
  `X-Hero-Onboarding-Admin-Secret: ${ADMIN_SECRET}`,
].join('\r\n');

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

describe('D09 on a raw socket', () => {
  test('a length and chunks at once are refused, and what follows is no second request', async () => {
    const smuggled = 'GET /v1/session HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await raw(`${HEAD}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`);
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('two lengths are refused', async () => {
    expect(statusOf(await raw(`${HEAD}\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`))).toBe(400);
  });

  test('a length that is too short cuts the body, and the rest is no request', async () => {
    const answer = await raw(`${HEAD}\r\nContent-Length: 2\r\n\r\n{}{"sid":"x"}`);
    expect(answer.match(/HTTP\/1\.1 200/g)).toBeNull();
    expect(statusOf(answer)).toBe(400);
  });

  test('a length over the limit is 413 before the body is read', async () => {
    expect(statusOf(await raw(`${HEAD}\r\nContent-Length: 104857600\r\n\r\n`))).toBe(413);
  });

  test('headers of more than 16 KB are refused', async () => {
    expect(statusOf(await raw(`${HEAD}\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`))).toBe(431);
  });

  test('100 MB in chunks are 413 soon, without taking the memory or making others wait', async () => {
    const before = process.memoryUsage().rss;
    const delays: number[] = [];
    const isOver = new AbortController();
    const others = (async () => {
      while (!isOver.signal.aborted) {
        const startedMs = performance.now();
        await fetch(`${server.url}/health/live`).then((answer) => answer.text());
        delays.push(performance.now() - startedMs);
      }
    })();
    const { status, sentBytes } = await upload(100 * 1_048_576);
    isOver.abort();
    await others;
    expect(status).toBe(413);
    expect(sentBytes).toBeLessThan(20 * 1_048_576);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1_048_576);
    expect(delays.sort((a, b) => a - b).at(Math.floor(delays.length / 2)) ?? 0).toBeLessThan(100);
  });
});

/** Sends chunks until the server has answered or closed. */
function upload(bytes: number): Promise<{ status: number; sentBytes: number }> {
  return new Promise((resolve) => {
    let sentBytes = 0;
    let status = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    const sending = httpRequest(`${server.url}/admin/balance-adjust`, {
      method: 'POST',
      headers: { ...AS_OPERATOR, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    });
    sending.on('response', (answer) => {
      status = answer.statusCode ?? 0;
      answer.resume();
    });
    sending.on('error', () => undefined);
    sending.on('close', () => resolve({ status, sentBytes }));
    const more = (): void => {
      if (sending.destroyed || status !== 0 || sentBytes >= bytes) return void sending.end();
      sentBytes += chunk.byteLength;
      sending.write(chunk, () => setImmediate(more));
    };
    more();
  });
}

/** A house whose reads wait until they are let go. */
function slowHouse(): { house: House; waiting: () => number; letGo: () => void } {
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  const { db } = site.house;
  const house: House = {
    ...site.house,
    db: {
      ...db,
      query: async (statement, values) => {
        waiting += 1;
        await gate.promise;
        return await db.query(statement, values);
      },
    },
  };
  return { house, waiting: () => waiting, letGo: gate.resolve };
}

describe('G12 a stop', () => {
  test('takes nothing new, finishes what it took, and ends', async () => {
    const { house, waiting, letGo } = slowHouse();
    let isStopping = false;
    const running = await start(house, () => isStopping);
    const requests = Array.from({ length: 20 }, () => fetch(`${running.url}/v1/users`, { headers: AS_OPERATOR }));
    await expect.poll(waiting).toBe(20);
    isStopping = true;
    const stopped = running.stop();
    await expect(fetch(`${running.url}/health/live`)).rejects.toThrow('fetch failed');
    letGo();
    const answers = await Promise.all(requests);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(answers[0]?.headers.get('connection')).toBe('close');
    await Promise.all(answers.map((answer) => answer.text()));
    await stopped;
  });

  test('asked for twice cuts off what still runs', async () => {
    const { house, waiting, letGo } = slowHouse();
    const running = await start(house);
    const cut = fetch(`${running.url}/v1/users`, { headers: AS_OPERATOR }).then(
      () => 'answered',
      () => 'cut off',
    );
    await expect.poll(waiting).toBe(1);
    const first = running.stop();
    const second = running.stop();
    expect(await cut).toBe('cut off');
    await Promise.all([first, second]);
    letGo();
  });

  test('is bounded: after 25 s the rest is cut off', async () => {
    const { house, waiting, letGo } = slowHouse();
    const app = buildHttp(house, {
      adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
      ping: () => Promise.resolve(),
    });
    const { clock, log } = site.ports;
    const running = await listen(app, { host: '127.0.0.1', port: 0, clock, log });
    const cut = fetch(`${running.url}/v1/users`, { headers: AS_OPERATOR }).then(
      () => 'answered',
      () => 'cut off',
    );
    await expect.poll(waiting).toBe(1);
    const sleeping = clock.sleeping;
    const stopped = running.stop();
    expect(clock.sleeping).toBe(sleeping + 1);
    await clock.advance(25_000);
    expect(await cut).toBe('cut off');
    await stopped;
    letGo();
  });
});

test('a server that cannot have its address says so', async () => {
  const app = buildHttp(site.house, { adminSecrets: [], ping: () => Promise.resolve() });
  const { clock, log } = site.ports;
  await expect(listen(app, { host: '127.0.0.1', port: server.port, clock, log })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});
