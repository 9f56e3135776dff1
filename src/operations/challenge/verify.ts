import { timingSafeEqual } from 'node:crypto';
import { codeHash } from '../../domain/challenge/code.ts';
import { judgeTry } from '../../domain/challenge/judge.ts';
import { assert, assertNever } from '../../domain/assert.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { changeChallenge, lockChallenge, pinNodeKey, readChallenge, type ChallengeRow } from '../../store/challenge.ts';
import type { Author } from '../audit/record.ts';
import type { House } from '../house.ts';
import { complete, type Purpose } from '../identity/complete.ts';
import type { OwnSession } from '../identity/own-session.ts';
import type { Caller, SignedIn } from '../session/open.ts';
import { holderHash, messengerAway, notConfigured } from './begin.ts';
import { collectReplies } from './collect-replies.ts';

export interface Try {
  readonly sid: string;
  readonly holderSecret: string;
  /** Null: the node's reply is looked for instead. */
  readonly code: string | null;
  /** Who tries it, if anybody is signed in. */
  readonly asker: OwnSession | null;
  readonly caller: Caller;
  readonly author: Author;
}

/** Neither a code nor a reply yet. */
export interface Waiting {
  readonly kind: 'waiting';
  readonly expiresAt: Date;
}

/**
 * Takes the code back, or the reply of the node, and opens the session that follows. A challenge is good for one session.
 *
 * Refuses unauthenticated (wrong code; no such challenge, or not this caller's: these two alike), state_conflict (over; another account's
 * identity), forbidden (account closed; another key than the node's first), unavailable (our node is away). Safe to repeat until it is over.
 */
export async function verifyChallenge(house: House, asked: Try): Promise<SignedIn | Waiting | Refusal> {
  if (house.messenger === null) return notConfigured();
  const awaited = asked.code === null ? await awaitReply(house, asked) : null;
  if (awaited) return awaited;
  const used = await house.db.transaction('challenge.verify', (tx) => use(tx, house, asked));
  if (isRefusal(used) || used.kind === 'waiting') return used;
  const { challenge, purpose } = used;
  const { node: subject, address: label } = challenge;
  const proof = {
    kind: 'mycelium',
    issuer: 'mycelium',
    subject,
    label,
    displayName: label,
    claimedRole: null,
  } as const;
  return complete(house, { proof, purpose, caller: asked.caller, author: asked.author });
}

/** Looks into our node's inbox when it can matter to the caller. Null: read the challenge again. */
async function awaitReply(house: House, asked: Try): Promise<Refusal | null> {
  const challenge = await readChallenge(house.db, asked.sid);
  if (challenge === null || !isTheirs(challenge, asked)) return noChallenge();
  const verdict = judgeTry(challenge, { isRight: null, now: house.ports.clock.now() });
  if (verdict.kind !== 'waiting' || house.messenger === null) return null;
  try {
    await collectReplies(house, house.messenger);
    return null;
  } catch (error) {
    return messengerAway(house, error);
  }
}

/** The same for one that never was: who does not have it learns nothing of it. */
const noChallenge = (): Refusal =>
  refuse('unauthenticated', 'This code was not asked for here, or the page has been opened twice. Ask for a new one.');

/** Of the browser or program that asked for it, and, where somebody was signed in, in the session they asked in. */
function isTheirs(challenge: ChallengeRow, { holderSecret, asker }: Try): boolean {
  if (!timingSafeEqual(challenge.holderHash, holderHash(holderSecret))) return false;
  return challenge.purpose === 'sign_in' || asker?.sessionSid === challenge.sessionSid;
}

interface Used {
  readonly kind: 'used';
  readonly challenge: ChallengeRow;
  readonly purpose: Purpose;
}

async function use(tx: Tx, house: House, asked: Try): Promise<Used | Waiting | Refusal> {
  const challenge = await lockChallenge(tx, asked.sid);
  if (challenge === null || !isTheirs(challenge, asked)) return noChallenge();
  const now = house.ports.clock.now();
  const isRight = asked.code === null ? null : timingSafeEqual(challenge.codeHash, codeHash(challenge.sid, asked.code));
  const verdict = judgeTry(challenge, { isRight, now });
  switch (verdict.kind) {
    case 'over':
      return refuse('state_conflict', OVER);
    case 'waiting':
      return { kind: 'waiting', expiresAt: challenge.expiresAt };
    case 'wrong':
      await changeChallenge(tx, { sid: challenge.sid, ...verdict.standing });
      return wrongCode(verdict.triesLeft);
    case 'proven':
      await changeChallenge(tx, { sid: challenge.sid, ...verdict.standing });
      return (await isFirstKey(tx, challenge, now))
        ? { kind: 'used', challenge, purpose: purposeOf(challenge) }
        : refuse('forbidden', OTHER_KEY);
    default:
      return assertNever(verdict);
  }
}

const OVER =
  'This code is not good any more: it was used, five minutes have passed, or there were too many wrong ones. Ask for a new one.';
const OTHER_KEY =
  'Another key than the one that this node first came with has its address now. Write to whoever runs this service.';

const wrongCode = (triesLeft: number): Refusal =>
  triesLeft === 0
    ? refuse('unauthenticated', 'That is not the code, and it was the last try. Ask for a new one.', {
        details: { tries_left: 0 },
      })
    : refuse(
        'unauthenticated',
        `That is not the code. You can try ${triesLeft} more ${triesLeft === 1 ? 'time' : 'times'}.`,
        {
          details: { tries_left: triesLeft },
        },
      );

/** A challenge without a key was not sent: nobody can have its code. */
const isFirstKey = async (tx: Tx, { node, nodeKey }: ChallengeRow, now: Date): Promise<boolean> =>
  nodeKey !== null && (await pinNodeKey(tx, { node, nodeKey, now }));

function purposeOf({ purpose, userSid, sessionSid }: ChallengeRow): Purpose {
  if (purpose === 'sign_in') return { kind: purpose };
  assert(userSid !== null && sessionSid !== null, 'challenge__somebody_asks_for_themselves');
  return { kind: purpose, userSid, sessionSid };
}
