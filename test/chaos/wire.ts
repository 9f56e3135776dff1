import { Agent, request as httpRequest } from 'node:http';

/** What came back; status 0 when nothing did. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Request {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly withinMs: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** One request, once: repeating it is the caller's decision. Never rejects. */
export function send({ method, url, headers, body, withinMs }: Request): Promise<Reply> {
  return new Promise((resolve) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const entity = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length };
    const sent = httpRequest(url, { method, agent, headers: { ...headers, ...entity } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => finish(0, ''));
      answer.on('close', () => finish(0, ''));
      answer.on('end', () => finish(answer.statusCode ?? 0, Buffer.concat(chunks).toString()));
    });
    const timer = setTimeout(() => sent.destroy(), withinMs);
    const finish = (status: number, received: string): void => {
      clearTimeout(timer);
      resolve({ status, text: received });
    };
    sent.on('error', () => finish(0, ''));
    sent.on('close', () => finish(0, ''));
    sent.end(text);
  });
}

export const hangUp = (): void => agent.destroy();

/** A member of a JSON object that is text; null for everything else. */
export function textIn(text: string, member: string): string | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return null;
    const found: unknown = Object.entries(parsed).find(([name]) => name === member)?.[1];
    return typeof found === 'string' ? found : null;
  } catch {
    return null;
  }
}
