import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** What the network between us and PostgreSQL does next. */
export type Fault =
  /** Everything passes. */
  | 'none'
  /** The next COMMIT arrives, its answer does not: the connection breaks instead. Once. */
  | 'lose_answer_of_commit'
  /** The next COMMIT does not arrive: the connection breaks instead. Once. */
  | 'lose_commit'
  /** Packets vanish in both directions, without a word. A connection that lost some stays deaf: TCP never goes on past a gap. */
  | 'swallow'
  /** Packets are kept and arrive when the fault is over, as after a partition that heals before anybody gives up. */
  | 'hold'
  /** Connections are refused by being reset. */
  | 'reset';

/** A simple query message: its type, its length and the text. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

export interface FaultProxy {
  /** The address given, by way of the proxy. */
  readonly url: string;
  set(fault: Fault): void;
  close(): Promise<void>;
}

/** A wire to PostgreSQL that breaks when told. */
export async function faultProxy(databaseUrl: string): Promise<FaultProxy> {
  let fault: Fault = 'none';
  let released = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    track(client);
    if (fault === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const upstream = track(connectTo(databaseUrl));
    const breakBoth = (): void => {
      client.destroy();
      upstream.destroy();
    };
    let isAnswerLost = false;
    let isDeaf = false;
    /** False: these bytes go nowhere now. */
    const passes = (from: Socket, bytes: Buffer): boolean => {
      isDeaf ||= fault === 'swallow';
      if (isDeaf || fault !== 'hold') return !isDeaf;
      from.pause();
      from.unshift(bytes);
      void released.promise.then(() => from.resume());
      return false;
    };
    client.on('data', (bytes) => {
      const isCommit = bytes.includes(COMMIT);
      if (!passes(client, bytes)) return;
      if (isCommit && fault === 'lose_commit') {
        fault = 'none';
        breakBoth();
        return;
      }
      if (isCommit && fault === 'lose_answer_of_commit') {
        fault = 'none';
        isAnswerLost = true;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (isAnswerLost) breakBoth();
      else if (passes(upstream, bytes)) client.write(bytes);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  const url = await listen(server, databaseUrl);
  return {
    url,
    set: (next) => {
      fault = next;
      released.resolve();
      if (next === 'hold') released = Promise.withResolvers();
      if (next === 'reset') for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function connectTo(databaseUrl: string): Socket {
  const url = new URL(databaseUrl);
  const folder = url.searchParams.get('host');
  if (folder !== null) return connect(`${folder}/.s.PGSQL.${url.port}`);
  return connect(Number(url.port), url.hostname);
}

async function listen(server: Server, databaseUrl: string): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.search = '';
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return url.href;
}
