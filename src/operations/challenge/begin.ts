import { createHash } from 'node:crypto';
import { CHALLENGE_BYTES, codeHash, secretsOf, type Secrets } from '../../domain/challenge/code.ts';
import { CHALLENGE_MS, CHALLENGES_PER_NODE_MAX } from '../../domain/challenge/judge.ts';
import { messageText } from '../../domain/challenge/message.ts';
import { readOverlayAddress, type OverlayAddress } from '../../domain/challenge/overlay-address.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { MessengerFailure, type Messenger } from '../../providers/messenger.ts';
import {
  changeChallenge,
  insertChallenge,
  listRecentChallenges,
  markChallengeSent,
  type ChallengeRow,
} from '../../store/challenge.ts';
import type { House } from '../house.ts';
import type { Purpose } from '../identity/complete.ts';

/** Topic of the messages with codes. */
export const TOPIC = 'login';

/** What whoever asked is told, once. */
export interface BegunChallenge {
  readonly sid: string;
  readonly address: string;
  /** What a reply must hold besides the code, and the message does not. */
  readonly number: string;
  /** To be shown again with the code: the code alone, in another's hands, opens nothing. */
  readonly holderSecret: string;
  readonly expiresAt: Date;
}

/**
 * Sends a code to a node that somebody claims to be.
 *
 * Whether anybody here has that node is not looked at: the answer is the same. Refuses invalid_request (no address of the overlay),
 * rate_limited (the node was written to too often), state_conflict (no such node can be reached), unavailable (not configured, or our own
 * node is away). Safe to repeat: each call is a challenge of its own.
 */
export async function beginChallenge(
  house: House,
  asked: { readonly address: string; readonly purpose: Purpose },
): Promise<BegunChallenge | Refusal> {
  const { messenger, ports } = house;
  if (messenger === null) return notConfigured();
  const address = readOverlayAddress(asked.address);
  if ('problem' in address)
    return refuse('invalid_request', address.problem, {
      errors: [{ pointer: '#/address', detail: address.problem }],
    });
  const secrets = secretsOf(ports.random.bytes(CHALLENGE_BYTES));
  const holderSecret = Buffer.from(ports.random.bytes(32)).toString('base64url');
  const row = await intend(house, { address, secrets, holderSecret, purpose: asked.purpose });
  if (isRefusal(row)) return row;
  const nodeKey = await sendCode(house, messenger, row, secrets.code);
  if (typeof nodeKey !== 'string') {
    await changeChallenge(house.db, { sid: row.sid, tries: 0, repliedAt: null, endedAt: ports.clock.now() });
    return nodeKey;
  }
  await markChallengeSent(house.db, row.sid, nodeKey);
  return { sid: row.sid, address: row.address, number: row.number, holderSecret, expiresAt: row.expiresAt };
}

export const notConfigured = (): Refusal =>
  refuse('unavailable', 'Sign-in by a Mycelium node is not set up here: MYCELIUM_API_URL is not set.');

type Intent = Omit<ChallengeRow, 'nodeKey' | 'tries' | 'repliedAt' | 'endedAt'>;

interface Intended {
  readonly address: OverlayAddress;
  readonly secrets: Secrets;
  readonly holderSecret: string;
  readonly purpose: Purpose;
}

/** Counts and writes in one transaction, before the node is written to. */
function intend(house: House, { address, secrets, holderSecret, purpose }: Intended): Promise<Intent | Refusal> {
  const { clock, ids } = house.ports;
  return house.db.transaction('challenge.begin', async (tx) => {
    const now = clock.now();
    const recent = await listRecentChallenges(tx, address.node, new Date(now.getTime() - CHALLENGE_MS));
    const [oldest] = recent.slice(-CHALLENGES_PER_NODE_MAX);
    if (oldest !== undefined && recent.length >= CHALLENGES_PER_NODE_MAX) {
      const waitMs = oldest.getTime() + CHALLENGE_MS - now.getTime();
      const message = 'This node was sent several codes just now. Use the last of them, or wait.';
      return refuse('rate_limited', message, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
    }
    const sid = ids.sid();
    const row: Intent = {
      sid,
      node: address.node,
      address: address.text,
      codeHash: codeHash(sid, secrets.code),
      number: secrets.number,
      holderHash: holderHash(holderSecret),
      purpose: purpose.kind,
      userSid: purpose.kind === 'sign_in' ? null : purpose.userSid,
      sessionSid: purpose.kind === 'sign_in' ? null : purpose.sessionSid,
      createdAt: now,
      expiresAt: new Date(now.getTime() + CHALLENGE_MS),
    };
    await insertChallenge(tx, row);
    return row;
  });
}

export const holderHash = (secret: string): Uint8Array => createHash('sha256').update(secret).digest();

/** A message to a node is also what makes our node look for the way to it, and so learn its key. */
const KEY_LOOKS = 5;
const KEY_LOOK_MS = 300;

/** The key of the node that the code went to. Asked for before, so that it is the key of then that a reply has to come from. */
async function sendCode(
  house: House,
  messenger: Messenger,
  { sid, address }: Intent,
  code: string,
): Promise<string | Refusal> {
  const { publicUrl } = house.settings;
  const text = messageText({ challengeSid: sid, publicUrl, address, code, minutes: CHALLENGE_MS / 60_000 });
  try {
    let key = await messenger.keyOf(address);
    await messenger.send({ to: address, topic: TOPIC, text });
    for (let look = 0; key === null && look < KEY_LOOKS; look += 1) {
      await house.ports.clock.sleep(KEY_LOOK_MS);
      key = await messenger.keyOf(address);
    }
    return key ?? refuse('state_conflict', UNREACHABLE);
  } catch (error) {
    return messengerAway(house, error);
  }
}

const UNREACHABLE =
  'No node with this address can be reached at the moment. Is it running and connected? Then try again in a minute.';

/** Throws what is no failure of the messenger. */
export function messengerAway(house: House, error: unknown): Refusal {
  if (!(error instanceof MessengerFailure)) throw error;
  house.ports.log.warn({ error }, 'the Mycelium daemon cannot be used');
  return refuse(
    'unavailable',
    'Our own Mycelium node does not answer. Try again in a minute, or sign in another way.',
    {
      retryAfterSeconds: 60,
    },
  );
}
