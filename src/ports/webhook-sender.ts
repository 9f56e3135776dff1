import { lookup as systemLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { WebhookNotSent, type WebhookAnswer, type WebhookRequest, type WebhookSender } from './ports.ts';

/** Answers all addresses of a name; a test brings its own. */
export type Resolve = (
  hostname: string,
  done: (error: Error | null, addresses: readonly { readonly address: string; readonly family: number }[]) => void,
) => void;

const systemResolve: Resolve = (hostname, done) => {
  systemLookup(hostname, { all: true, verbatim: true }, done);
};

const REFUSED = 'EADDRESSREFUSED';

/**
 * Sends to addresses that strangers gave. A name is looked up once, its addresses are judged, and the connection goes to one that
 * passed: an answer of the resolver that changes in between has nothing to change.
 */
export function webhookSender(resolve: Resolve = systemResolve): WebhookSender {
  return { post: (request) => post(request, resolve) };
}

function post(request: WebhookRequest, resolve: Resolve): Promise<WebhookAnswer> {
  return new Promise((done, fail) => {
    const url = new URL(request.url);
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !request.mayReach(host)) return fail(addressRefused());
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, {
      method: 'POST',
      headers: { ...request.headers, 'content-length': Buffer.byteLength(request.body) },
      // A connection of its own: one that is kept open would have been judged for somebody else's address.
      agent: false,
      lookup: judgedLookup(resolve, request.mayReach),
      signal: request.signal,
    });
    // Once a status has come it counts: an error after it, the deadline among them, ends the reading and no more.
    let onError = (error: Error): void => fail(notSent(error, request.signal));
    outgoing.on('error', (error) => onError(error));
    outgoing.on('response', (incoming) => {
      onError = readStart(incoming, request.answerBytesMax, (start) => {
        done({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] ?? null, start });
        outgoing.destroy();
      });
    });
    outgoing.end(request.body);
  });
}

/** Reads the first bytes of a body, or what comes of them. Answers how to end it before. */
function readStart(incoming: IncomingMessage, bytesMax: number, done: (start: Uint8Array) => void): () => void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (): void => done(Buffer.concat(chunks).subarray(0, bytesMax));
  incoming.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytesMax) finish();
  });
  incoming.on('end', finish);
  incoming.on('error', finish);
  incoming.on('close', finish);
  return finish;
}

function judgedLookup(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, (error, found) => {
      if (error !== null) return done(error, '', 0);
      const family = Number(options.family ?? 0);
      const wanted = found.filter((one) => family === 0 || family === one.family);
      const passed = wanted.filter(({ address }) => mayReach(address)).map((one) => ({ ...one }));
      const [first] = passed;
      if (!first) return done(Object.assign(addressRefused(), { code: REFUSED }), '', 0);
      if (options.all === true) done(null, passed);
      else done(null, first.address, first.family);
    });
  };
}

const addressRefused = (): WebhookNotSent =>
  new WebhookNotSent('address_refused', 'the name leads to no address that may be reached');

function notSent(error: Error, signal: AbortSignal): WebhookNotSent {
  if (error instanceof WebhookNotSent) return error;
  if (signal.aborted) return new WebhookNotSent('timeout', 'there was no answer in time', { cause: error });
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new WebhookNotSent('name_unknown', 'the name could not be looked up', { cause: error });
  }
  const isTls = /CERT|SSL|TLS|SIGNATURE|VERIFY|ALTNAME|SELF_SIGNED/.test(code) || code === 'EPROTO';
  return isTls
    ? new WebhookNotSent('tls', `the certificate or the handshake failed (${code})`, { cause: error })
    : new WebhookNotSent('connection', `the connection failed${code === '' ? '' : ` (${code})`}`, { cause: error });
}
