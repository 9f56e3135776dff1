import { createHash } from 'node:crypto';
import { assert } from '../../domain/assert.ts';
import { strongestRole, type OperatorRole } from '../../domain/identity/role.ts';
import type { Tx } from '../../store/db.ts';
import { insertSession, markSeen, readLiveSession, revokeSession, type LiveSession } from '../../store/session.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import type { House } from '../house.ts';
import type { Actor, Credential, OperatorActor, UserActor } from '../operation.ts';

/** Where somebody signs in from. */
export interface Caller {
  readonly address: string | null;
  /** The browser or program, as it calls itself. */
  readonly agent: string | null;
}

/** What a new session is told, once: only the hash of the token is kept. */
export interface SignedIn {
  readonly token: string;
  readonly sid: string;
  /** Null for the holder of an admin secret. */
  readonly userSid: string | null;
  readonly walletSid: string | null;
  readonly expiresAt: Date;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const AGENT_CHARACTERS_MAX = 200;

export type Holder =
  | { readonly userSid: string; readonly identitySid: string; readonly secretId: null }
  | { readonly userSid: null; readonly identitySid: null; readonly secretId: string };

/** Opens a session with a token of its own: one that was planted before the sign-in is worth nothing after it. */
export async function openSession(tx: Tx, house: House, holder: Holder, caller: Caller): Promise<SignedIn> {
  const { clock, ids, random } = house.ports;
  const token = Buffer.from(random.bytes(32)).toString('base64url');
  const now = clock.now();
  const expiresAt = new Date(now.getTime() + house.settings.sessionHours * HOUR_MS);
  const sid = ids.sid();
  await insertSession(tx, {
    sid,
    tokenHash: hashOf(token),
    ...holder,
    createdAt: now,
    provenAt: now,
    seenAt: now,
    expiresAt,
    address: caller.address,
    agent: caller.agent?.slice(0, AGENT_CHARACTERS_MAX) ?? null,
  });
  const wallet = holder.userSid === null ? null : await readWalletByUser(tx, holder.userSid);
  return { token, sid, userSid: holder.userSid, walletSid: wallet?.sid ?? null, expiresAt };
}

/** Sessions that nobody has used since are over. */
export const seenSince = (house: House): Date =>
  new Date(house.ports.clock.now().getTime() - house.settings.sessionIdleMinutes * MINUTE_MS);

/** Whose session a token is; null when it is nobody's any more. Every process asks the database each time, so an ended session is dead at once. */
export async function readSession(house: House, token: string): Promise<Actor | null> {
  const now = house.ports.clock.now();
  const tokenHash = hashOf(token);
  const session = await readLiveSession(house.db, tokenHash, { now, seenSince: seenSince(house) });
  if (!session) return null;
  if (now.getTime() - session.seenAt.getTime() > MINUTE_MS) await markSeen(house.db, tokenHash, now);
  const credential: Credential = {
    kind: 'session',
    sid: session.sid,
    provenAt: session.provenAt,
    expiresAt: session.expiresAt,
    formToken: formTokenOf(token),
  };
  const { userSid, viewedUserSid } = session;
  const operator = operatorOf(house, session, credential);
  if (operator !== null && viewedUserSid !== null)
    return viewerActor(viewedUserSid, operator, { memberships: session.memberships, credential });
  if (operator !== null) return operator;
  assert(userSid !== null, 'session__has_one_holder');
  return { kind: 'user', id: `user:${userSid}`, userSid, memberships: session.memberships, credential };
}

/** Sees what the user sees. What it may do follows from `viewer` being there: nothing but look. */
const viewerActor = (
  userSid: string,
  operator: OperatorActor,
  rest: Pick<UserActor, 'memberships' | 'credential'>,
): UserActor => ({
  kind: 'user',
  id: `user:${userSid}`,
  userSid,
  viewer: operator.id,
  ...rest,
});

function operatorOf(house: House, session: LiveSession, credential: Credential): OperatorActor | null {
  const { userSid, secretId } = session;
  if (userSid === null)
    return { kind: 'operator', id: `admin:${secretId ?? ''}`, role: 'admin', userSid: null, credential };
  const role = roleOf(house, session);
  return role === null ? null : { kind: 'operator', id: `operator:${userSid}`, role, userSid, credential };
}

/**
 * Decided anew for every request: by what an admin granted, by the configuration's list of identities, and by what the provider claimed of
 * the identity that this session was opened with.
 */
function roleOf(house: House, session: LiveSession): OperatorRole | null {
  const listed = house.settings.operators.filter((operator) =>
    session.identities.some(({ issuer, subject }) => issuer === operator.issuer && subject === operator.subject),
  );
  const claimed = session.identities.filter(({ isUsed }) => isUsed).map(({ claimedRole }) => claimedRole);
  return strongestRole([session.grantedRole, ...listed.map(({ role }) => role), ...claimed]);
}

/** Safe to call twice, and with a token that never was. */
export async function signOut(house: House, token: string): Promise<void> {
  await revokeSession(house.db, hashOf(token), house.ports.clock.now());
}

const hashOf = (token: string): Uint8Array => createHash('sha256').update(token).digest();

/** A page reads it from the session and sends it back; another site can do neither, and the token itself cannot be had from it. */
const formTokenOf = (token: string): string => createHash('sha256').update(`form:${token}`).digest('base64url');
