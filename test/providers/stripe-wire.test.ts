import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { stripeProvider } from '../../src/providers/stripe/index.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { testPorts } from '../support/ports.ts';
import { SECRET_KEY, WEBHOOK_SECRET } from './stripe-bench.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** One question of the provider, while virtual time passes until it is settled: nobody waits for a deadline. */
async function ask(apiBase: string): Promise<{ readonly failure: unknown; readonly seconds: number }> {
  const ports = testPorts();
  const provider = stripeProvider({
    secretKey: SECRET_KEY,
    webhookSecrets: { current: WEBHOOK_SECRET },
    apiBase,
    ports,
  });
  let failure: unknown = null;
  const call = provider.createOrder(newOrder(ports.clock.now())).catch((error: unknown) => (failure = error));
  while (failure === null) await ports.clock.advance(100);
  await call;
  return { failure, seconds: ports.clock.monotonicMs() / 1_000 };
}

describe('a wire to Stripe that is not Stripe', () => {
  it.each([301, 302, 307, 308])('I01 %i to another host is not followed: the key stays here', async (status) => {
    const heard: unknown[] = [];
    const elsewhere = await serve((request, response) => {
      heard.push(request.headers.authorization);
      response.end('{}');
    });
    const url = await serve((request, response) => {
      response.writeHead(status, { location: `${elsewhere}${request.url ?? ''}` }).end();
    });
    const { failure } = await ask(url);
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind: 'broken' });
    expect(heard).toEqual([]);
  });

  it('I01 an answer that drips byte by byte is given up at the deadline, however lively it looks', async () => {
    let drops = 0;
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = (): void => {
        if (response.destroyed) return;
        drops += 1;
        response.write(' ', () => setImmediate(drip));
      };
      drip();
    });
    const { failure, seconds } = await ask(url);
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind: 'timeout' });
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(20.2);
    expect(drops).toBeGreaterThan(1);
  });

  it('I01 an answer that never ends is cut off at its first megabyte', async () => {
    let written = 0;
    const chunk = Buffer.alloc(65_536, ' ');
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const pour = (): void => {
        if (response.destroyed) return;
        written += chunk.length;
        response.write(chunk, () => setImmediate(pour));
      };
      pour();
    });
    const { failure } = await ask(url);
    expect(failure).toMatchObject({ name: 'ProviderFailure' });
    // What is on the way in buffers is not read; three attempts at most.
    expect(written).toBeLessThan(60_000_000);
  });
});
