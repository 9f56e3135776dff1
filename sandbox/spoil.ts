import type { ServerResponse } from 'node:http';

/** What can go wrong with an answer on its way, whatever it says: the effect is there, and the caller does not learn of it as it should. */
export type Spoiling =
  | 'timeout-after-effect'
  | 'reset-after-effect'
  | 'reset-in-body'
  | 'hang-in-body'
  | 'html'
  | 'empty-object'
  | 'truncated'
  | 'redirect';

interface Spoilt {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends an answer as it is spoilt. Returns the status that was sent, null for none. */
export function spoil(kind: Spoiling, { status, headers, text }: Spoilt, response: ServerResponse): number | null {
  const half = text.slice(0, text.length / 2);
  const write = (body: string, more: Record<string, string> = {}, as = status): number => {
    response.writeHead(as, { ...headers, ...more }).end(body);
    return as;
  };
  switch (kind) {
    case 'timeout-after-effect':
      return null;
    case 'reset-after-effect':
      response.destroy();
      return null;
    case 'reset-in-body':
      response.writeHead(status, { ...headers, 'content-length': String(text.length) });
      response.write(half, () => response.destroy());
      return null;
    case 'hang-in-body':
      response.writeHead(status, headers).write(half);
      return null;
    case 'html':
      return write('<!doctype html><title>Gateway</title>', { 'content-type': 'text/html' }, 200);
    case 'empty-object':
      return write('{}', {}, 200);
    case 'truncated':
      return write(half);
    case 'redirect':
      return write('', { location: 'http://127.0.0.1:9/elsewhere' }, 301);
    default:
      return kind satisfies never;
  }
}
