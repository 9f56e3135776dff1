import type { Actor } from '../operation.ts';

/** A session, and the person who signed in to it. */
export interface OwnSession {
  readonly userSid: string;
  readonly sessionSid: string;
}

/**
 * Who may add to the ways in which an account is signed in to, or show anew who they are: a person in a session of their own. Null for a key,
 * for an admin secret, and for an operator who looks at the pages of somebody else: with an identity linked there they would be that user.
 */
export function ownSessionOf(actor: Actor): OwnSession | null {
  if (actor.kind !== 'user' && actor.kind !== 'operator') return null;
  if (actor.kind === 'user' && actor.viewer !== undefined) return null;
  const { userSid, credential } = actor;
  if (userSid === null || credential?.kind !== 'session') return null;
  return { userSid, sessionSid: credential.sid };
}
