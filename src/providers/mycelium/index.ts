import { z } from 'zod';
import type { Ports } from '../../ports/ports.ts';
import type { Messenger, ReceivedMessage } from '../messenger.ts';
import { failure, LOOK_UP, myceliumCaller, type CallMycelium, type MyceliumAnswer, type MyceliumCall } from './call.ts';

export interface MyceliumOptions {
  /** The daemon's own address, without a slash at the end. It asks nobody who they are: whoever reaches it is the node. */
  readonly url: string;
  /** Of a simulator's page; by default none. */
  readonly inboxUrl?: string | null;
  readonly ports: Ports;
}

/** The message service of a Mycelium daemon, by its REST API. Connects to nothing until it is first used. */
export function myceliumMessenger({ url, inboxUrl = null, ports }: MyceliumOptions): Messenger {
  const call = myceliumCaller({ url, ports });
  return {
    inboxUrl,
    keyOf: (address) => lookUpKey(call, address),
    send: (message) => send(call, message),
    take: (topic) => take(call, topic),
  };
}

const key = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .transform((text) => text.toLowerCase());

/** The daemon writes `publicKey`; its own specification calls it `NodePubKey`. */
const keyShape = z.union([
  z.object({ publicKey: key }).transform(({ publicKey }) => publicKey),
  z.object({ NodePubKey: key }).transform(({ NodePubKey }) => NodePubKey),
]);
const idShape = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });
const messageShape = z.object({ srcPk: key, payload: z.base64() });

async function lookUpKey(call: CallMycelium, address: string): Promise<string | null> {
  const asked = { name: LOOK_UP, method: 'GET', path: `/pubkey/${encodeURIComponent(address)}` } as const;
  const answer = await call(asked);
  return answer.status === 404 ? null : checked(keyShape, answer, 200, asked);
}

/** Does not wait for a reply: that would be a request that stays open for minutes. */
async function send(
  call: CallMycelium,
  { to, topic, text }: { readonly to: string; readonly topic: string; readonly text: string },
): Promise<void> {
  const body = { dst: { ip: to }, topic: toBase64(topic), payload: toBase64(text) };
  const asked = { name: 'send a message', method: 'POST', path: '/messages', body } as const;
  checked(idShape, await call(asked), 201, asked);
}

/**
 * Asks without waiting: while a daemon waits for a message, it answers nobody else. There is no looking first: one that is asked for
 * by its topic is taken out in any case.
 */
async function take(call: CallMycelium, topic: string): Promise<ReceivedMessage | null> {
  const query = new URLSearchParams({ peek: 'false', timeout: '0', topic: toBase64(topic) });
  const asked = { name: 'take a message', method: 'GET', path: `/messages?${query.toString()}` } as const;
  const answer = await call(asked);
  if (answer.status === 204) return null;
  const { srcPk, payload } = checked(messageShape, answer, 200, asked);
  return { sourceKey: srcPk, text: fromUtf8(Buffer.from(payload, 'base64')) };
}

/** Refuses an answer that is not what we asked for. */
function checked<T>(shape: z.ZodType<T>, { status, body }: MyceliumAnswer, expected: number, asked: MyceliumCall): T {
  if (status !== expected) throw failure('broken', asked, `answered ${status}`);
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  throw failure('broken', asked, 'answered in a form that is not known');
}

const toBase64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

function fromUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
