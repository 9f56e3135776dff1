import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Clock, Log } from '../ports/ports.ts';
import type { App } from './context.ts';

/** Slow senders hold a socket, so each phase of a request has its end. In milliseconds. */
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 30_000;
const KEEP_ALIVE_MS = 5_000;
const HEADER_BYTES_MAX = 16_384;
/** Longer than any deadline of a provider call, shorter than the 30 s after which supervisors kill. */
const STOP_WITHIN_MS = 25_000;

export interface Listening {
  /** `http://host:port`, with the port that was given out when 0 was asked for. */
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new connections, finishes the requests that run, and resolves when the last is answered, or after 25 s, when the
   * others are cut off. Called again: cut off now.
   */
  stop(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Rejects when the address cannot be had, with the system's own error. */
export async function listen(app: App, options: ListenOptions): Promise<Listening> {
  const server = createServer(
    {
      headersTimeout: HEADERS_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      connectionsCheckingInterval: 1_000,
    },
    handlerOf(app, options.log),
  );
  const { port } = await bind(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, port, stop: stopperOf(server, options) };
}

function handlerOf(app: App, log: Log) {
  const handle = getRequestListener((request, env) => app.fetch(request, env), {
    // The app answers its own errors; what arrives here is a socket that broke under the answer.
    errorHandler: (error) => {
      log.debug({ error }, 'an answer could not be sent');
      return new Response(null, { status: 500 });
    },
  });
  return (...[incoming, outgoing]: Parameters<typeof handle>): void => void handle(incoming, outgoing);
}

function bind(server: Server, { host, port }: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address);
      else reject(new Error('the server has no address'));
    });
  });
}

function stopperOf(server: Server, { clock, log }: ListenOptions): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  return () => {
    if (stopping) {
      server.closeAllConnections();
      return stopping;
    }
    stopping = finish(server, clock, log);
    return stopping;
  };
}

async function finish(server: Server, clock: Clock, log: Log): Promise<void> {
  const isDone = new AbortController();
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      isDone.abort();
      resolve();
    });
  });
  // Connections that were idle when the stop began are closed by close(); those that become idle now are closed by their
  // "connection: close" header.
  await Promise.race([closed, clock.sleep(STOP_WITHIN_MS, isDone.signal)]);
  if (!isDone.signal.aborted) {
    log.warn({}, 'requests still run at the end of the time to stop; they are cut off');
    server.closeAllConnections();
  }
  await closed;
}
