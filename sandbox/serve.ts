import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  /** Of a header that was sent twice, the first. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface ServeOptions {
  /** 0: a free one. */
  readonly port?: number;
  /** Loopback unless told otherwise: whoever reaches a simulator controls it. */
  readonly host?: string;
  readonly bodyBytesMax?: number;
}

export interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const BODY_BYTES_MAX = 1_000_000;

/** Puts a simulator on a port. What its answering throws is told to whoever looks at the process, and is a 500. */
export async function serve(
  answer: (asked: Asked, response: ServerResponse) => void | Promise<void>,
  { port = 0, host = '127.0.0.1', bodyBytesMax = BODY_BYTES_MAX }: ServeOptions,
): Promise<Served> {
  const server = createServer((request, response) => {
    const answered = async (): Promise<void> => {
      try {
        await answer(await read(request, bodyBytesMax), response);
      } catch (error) {
        console.error(error);
        if (!response.headersSent) response.writeHead(500);
        response.end();
      }
    };
    void answered();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, close };
}

async function read(request: IncomingMessage, bodyBytesMax: number): Promise<Asked> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > bodyBytesMax) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value[0] : value;
  return {
    method: request.method ?? 'GET',
    url: new URL(request.url ?? '/', `http://${request.headers.host ?? 'sandbox.invalid'}`),
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** The rest of a simulator's life as a process: says where it is, and ends when it is told to, or when its standard input does. */
export function liveUntilStopped(
  { url, close }: Served,
  { untilStdinEnds }: { readonly untilStdinEnds: boolean },
): void {
  const stop = (): void => {
    void close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (untilStdinEnds) process.stdin.resume().once('end', stop).once('error', stop);
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}
