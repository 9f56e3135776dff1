import { z } from 'zod';
import type { Message, MyceliumSandbox } from './network.ts';
import { eightGroups, shortened, subnetOf, type PlayNode } from './node.ts';

export interface ApiRequest {
  readonly method: string;
  /** Below `/api/v1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** `text` is null for an empty body, which has no type either. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string | null;
  readonly type: 'application/json' | 'text/plain; charset=utf-8';
}

const json = (status: number, body: unknown): ApiAnswer => ({
  status,
  text: JSON.stringify(body),
  type: 'application/json',
});
const said = (status: number, text: string): ApiAnswer => ({ status, text, type: 'text/plain; charset=utf-8' });
const empty = (status: number): ApiAnswer => ({ ...said(status, ''), text: null });

const TOPIC_BYTES_MAX = 255;
const MESSAGE_ID = /^[0-9a-f]{16}$/;

/** One request to the daemon of a node, as the daemon answers it. */
export async function answerApi(sandbox: MyceliumSandbox, node: PlayNode, request: ApiRequest): Promise<ApiAnswer> {
  const { method, path } = request;
  const [, noun, rest = '', id = ''] = path.split('/').map(decodeURIComponent);
  const alone = <T>(run: () => Promise<T> | T): Promise<T> => sandbox.alone(node, run);
  switch (`${method} ${noun}${rest === '' ? '' : '/…'}`) {
    case 'GET admin':
      return alone(() =>
        json(200, {
          nodeSubnet: subnetOf(node),
          nodeIp: shortened(node.address),
          nodePubkey: node.publicKey,
          nodeStartTime: 1_716_100_000,
        }),
      );
    case 'GET pubkey/…':
      return alone(() => lookUpKey(sandbox, node, rest));
    case 'GET messages':
      return alone(() => fetchMessage(sandbox, node, request.query));
    case 'POST messages':
      return push(sandbox, node, request);
    case 'GET messages/…':
      if (rest === 'status') return alone(() => tellStatus(sandbox, node, id));
      break;
    case 'POST messages/…':
      if (rest === 'reply') return alone(() => reply(sandbox, node, id, request.body));
      break;
    default:
      break;
  }
  return empty(404);
}

function lookUpKey(sandbox: MyceliumSandbox, node: PlayNode, ip: string): ApiAnswer {
  const groups = eightGroups(ip);
  if (groups === null) return said(400, 'Invalid URL: invalid IP address syntax');
  const key = sandbox.keyOf(node, groups);
  return key === null ? empty(404) : json(200, { [sandbox.switches.keyField]: key });
}

async function fetchMessage(sandbox: MyceliumSandbox, node: PlayNode, query: URLSearchParams): Promise<ApiAnswer> {
  const peek = query.get('peek') ?? 'false';
  const timeout = query.get('timeout') ?? '0';
  const topic = query.has('topic') ? bytesOf(query.get('topic') ?? '') : null;
  if (!/^(true|false)$/.test(peek) || !/^[0-9]{1,9}$/.test(timeout) || (query.has('topic') && topic === null)) {
    return said(400, 'Failed to deserialize query string');
  }
  const found = await sandbox.take(node, { peek: peek === 'true', waitMs: Number(timeout) * 1_000, topic });
  return found === null ? empty(204) : json(200, toWire(found));
}

/** Waits for a reply only when it was asked to, and without keeping others from the daemon. */
async function push(sandbox: MyceliumSandbox, node: PlayNode, { body, query }: ApiRequest): Promise<ApiAnswer> {
  const pushed = readPush(sandbox, body);
  if ('status' in pushed) return pushed;
  const timeout = query.get('reply_timeout');
  if (timeout !== null && !/^[0-9]{1,9}$/.test(timeout)) return said(400, 'Failed to deserialize query string');
  if (pushed.topic.length > TOPIC_BYTES_MAX) return empty(400);
  const id = await sandbox.alone(node, () => sandbox.send(node, { ...pushed, replyTo: null }));
  if (timeout === null) return json(201, { id });
  const answer = await sandbox.replyTo(node, id, Number(timeout) * 1_000);
  return answer === null ? json(408, { id }) : json(200, toWire(answer));
}

function reply(sandbox: MyceliumSandbox, node: PlayNode, id: string, body: string): ApiAnswer {
  if (!MESSAGE_ID.test(id)) return said(400, 'Invalid URL: Invalid message ID');
  const pushed = readPush(sandbox, body);
  if ('status' in pushed) return pushed;
  // A reply never carries a topic, whatever it was given.
  sandbox.send(node, { ...pushed, topic: Buffer.alloc(0), replyTo: id });
  return empty(204);
}

function tellStatus(sandbox: MyceliumSandbox, node: PlayNode, id: string): ApiAnswer {
  if (!MESSAGE_ID.test(id)) return said(400, 'Invalid URL: Invalid message ID');
  const status = sandbox.status(node, id);
  return status === null ? empty(404) : json(200, status);
}

const pushShape = z.object({
  dst: z.union([z.strictObject({ ip: z.string() }), z.strictObject({ pk: z.string().regex(/^[0-9a-fA-F]{64}$/) })]),
  topic: z.string().nullish(),
  payload: z.string(),
});

type Pushed = { readonly to: string; readonly topic: Buffer; readonly payload: Buffer };

/** A key that nobody has gets an address that nobody has: the message waits in vain. */
function readPush(sandbox: MyceliumSandbox, body: string): Pushed | ApiAnswer {
  const read = pushShape.safeParse(parse(body));
  const wrong = said(422, 'Failed to deserialize the JSON body into the target type');
  if (!read.success) return wrong;
  const { dst, topic, payload } = read.data;
  const topicBytes = bytesOf(topic ?? '');
  const payloadBytes = bytesOf(payload);
  const to = 'ip' in dst ? eightGroups(dst.ip) : (sandbox.addressOfKey(dst.pk.toLowerCase()) ?? '400:0:0:0:0:0:0:0');
  return topicBytes === null || payloadBytes === null || to === null
    ? wrong
    : { to, topic: topicBytes, payload: payloadBytes };
}

/** The standard alphabet with padding and nothing else; null: it is something else. */
function bytesOf(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

const toWire = ({ topic, payload, srcIp, dstIp, ...message }: Message): object => ({
  ...message,
  srcIp: shortened(srcIp),
  dstIp: shortened(dstIp),
  ...(topic.length === 0 ? {} : { topic: topic.toString('base64') }),
  payload: payload.toString('base64'),
});

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
