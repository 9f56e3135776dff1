import { claimedRole } from '../../domain/identity/claimed-role.ts';
import type { SignInProblem } from '../../domain/identity/sign-in-problem.ts';
import { isRefusal } from '../../domain/refusal.ts';
import {
  SignInFailure,
  type IdentityProvider,
  type ProvenIdentity,
  type SignInQuestion,
} from '../../providers/identity-provider.ts';
import { useAttempt } from '../../store/sign-in-attempt.ts';
import { ownAuthor } from '../audit/record.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import type { Caller, SignedIn } from '../session/open.ts';
import { ownSessionOf, type OwnSession } from './own-session.ts';
import { ATTEMPT_MS, hashOfState, isOver, newAttempt, openAttempts, sealAttempts, type Attempt } from './attempt.ts';
import { complete, type Purpose } from './complete.ts';
import { issuerKey, type Proof } from './proof.ts';

export interface Beginning {
  readonly provider: IdentityProvider;
  readonly purpose: Purpose;
  /** One of our own pages, already judged. */
  readonly returnPath: string;
  /** What the browser keeps of earlier attempts. */
  readonly kept: string | null;
  readonly requestId: string;
}

export type Begun =
  | { readonly kind: 'begun'; readonly location: string; readonly kept: string | null }
  | { readonly kind: 'failed'; readonly problem: SignInProblem };

/** Sends a browser to a provider. Nothing is written: the attempt is with the browser. */
export async function beginAttempt(house: House, asked: Beginning): Promise<Begun> {
  const { provider, returnPath, requestId } = asked;
  const purpose = { ...asked.purpose };
  const attempt = newAttempt(house, { provider: provider.name, returnPath, purpose });
  const open = openAttempts(house, asked.kept).filter((earlier) => !isOver(house, earlier));
  try {
    const location = await provider.begin(questionOf(house, attempt));
    return { kind: 'begun', location, kept: sealAttempts(house, [...open, attempt]) };
  } catch (error) {
    return { kind: 'failed', problem: problemOf(house, error, { provider, requestId }) };
  }
}

export interface Returning {
  readonly provider: IdentityProvider;
  readonly parameters: URLSearchParams;
  readonly kept: string | null;
  /** Who is signed in in this browser now. */
  readonly actor: Actor;
  readonly caller: Caller;
  readonly requestId: string;
}

export interface Returned {
  readonly outcome:
    | { readonly kind: 'signed_in'; readonly session: SignedIn }
    | { readonly kind: 'failed'; readonly problem: SignInProblem };
  /** The page that was asked for; of an attempt that nobody knows, the first one. */
  readonly returnPath: string;
  readonly purpose: Purpose['kind'];
  /** What the browser keeps from now on; null: nothing. */
  readonly kept: string | null;
}

/**
 * The way back from a provider. Whatever comes of it, the attempt is used up.
 *
 * Safe to call twice, also at once in two processes: the second finds the attempt used.
 */
export async function finishAttempt(house: House, asked: Returning): Promise<Returned> {
  const { provider, parameters } = asked;
  const attempts = openAttempts(house, asked.kept);
  const states = parameters.getAll('state');
  const attempt = attempts.find(({ state, provider: name }) => states.includes(state) && name === provider.name);
  if (attempt === undefined) {
    const outcome = { kind: 'failed', problem: 'unknown' } as const;
    return { outcome, returnPath: '/', purpose: 'sign_in', kept: asked.kept };
  }
  const kept = sealAttempts(
    house,
    attempts.filter((other) => other !== attempt && !isOver(house, other)),
  );
  const { returnPath, purpose } = attempt;
  return { outcome: await outcomeOf(house, attempt, asked), returnPath, purpose: purpose.kind, kept };
}

async function outcomeOf(house: House, attempt: Attempt, asked: Returning): Promise<Returned['outcome']> {
  const { provider, parameters, actor, caller, requestId } = asked;
  const failed = (problem: SignInProblem): Returned['outcome'] => ({ kind: 'failed', problem });
  if (isOver(house, attempt)) return failed('expired');
  const { purpose } = attempt;
  if (purpose.kind !== 'sign_in' && !isHolder(actor, purpose)) return failed('signed_out');
  const endsAt = new Date(attempt.startedMs + ATTEMPT_MS);
  if (!(await useAttempt(house.db, hashOfState(attempt.state), endsAt))) return failed('used');
  let proven: ProvenIdentity;
  try {
    proven = await provider.finish(questionOf(house, attempt), { parameters });
  } catch (error) {
    return failed(problemOf(house, error, { provider, requestId }));
  }
  const proof = toProof(house, provider, proven);
  const own = { ...ownAuthor(house, 'sign-in'), requestId };
  const author = purpose.kind === 'sign_in' ? own : { ...own, actor };
  const session = await complete(house, { proof, purpose, caller, author });
  if (!isRefusal(session)) return { kind: 'signed_in', session };
  if (session.code === 'state_conflict') return failed('taken');
  return failed(purpose.kind === 'prove' ? 'other_account' : 'closed');
}

function isHolder(actor: Actor, { userSid, sessionSid }: OwnSession): boolean {
  const own = ownSessionOf(actor);
  return own?.sessionSid === sessionSid && own.userSid === userSid;
}

const questionOf = (house: House, attempt: Attempt): SignInQuestion => ({
  state: attempt.state,
  nonce: attempt.nonce,
  verifier: attempt.verifier,
  redirectUri: `${house.settings.publicUrl}/login/${attempt.provider}/callback`,
  startedAt: new Date(attempt.startedMs),
  isStepUp: attempt.purpose.kind === 'prove',
});

function toProof(house: House, { name }: IdentityProvider, proven: ProvenIdentity): Proof {
  const { issuer, subject, displayName, username, claims } = proven;
  return {
    kind: name,
    issuer: issuerKey(issuer),
    subject,
    label: username ?? displayName ?? subject,
    displayName: displayName ?? 'Unnamed',
    claimedRole: claimedRole(claims, house.settings.roleClaims[name]),
  };
}

/** Told in the log, where an operator finds the reason; what the provider broke is no bug of ours. */
function problemOf(
  house: House,
  error: unknown,
  { provider, requestId }: { readonly provider: IdentityProvider; readonly requestId: string },
): SignInProblem {
  if (!(error instanceof SignInFailure)) throw error;
  const facts = { request_id: requestId, provider: provider.name, kind: error.kind, reason: error.message };
  const { log } = house.ports;
  if (error.kind === 'denied') log.info(facts, 'a sign-in was not agreed to');
  else log.warn(facts, 'a sign-in failed');
  return error.kind;
}
