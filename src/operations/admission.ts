import {
  memberReaches,
  needsStepUp,
  roleHas,
  STEP_UP_MINUTES,
  type KeyScope,
  type MemberRole,
  type Right,
} from '../domain/identity/role.ts';
import { refuse, type Refusal } from '../domain/refusal.ts';
import type { House } from './house.ts';
import type { Actor, Operation, OperatorActor, UserActor } from './operation.ts';

const STEP_UP_MS = STEP_UP_MINUTES * 60_000;

const isReading = (operation: Operation): boolean => operation.http.method === 'get';

/** What an operator's role must allow. What changes something and does not say what it is, is for admins. */
export const rightOf = (operation: Operation): Right => operation.right ?? (isReading(operation) ? 'look' : 'people');

/** What a user's key must be for; null: keys may not. */
export const scopeOf = (operation: Operation): KeyScope | null =>
  operation.scope === undefined && isReading(operation) && operation.access === 'user'
    ? 'read'
    : (operation.scope ?? null);

/** What a member must be in the organisation whose wallet it is about. */
export const memberOf = (operation: Operation): MemberRole =>
  operation.member ?? (isReading(operation) ? 'viewer' : 'owner');

/**
 * Whether this caller may call this operation at all; what of it is theirs is for the operation. Also asked before a body is read: who may
 * not call is not listened to.
 */
export function checkAccess(house: House, operation: Operation, actor: Actor): Refusal | null {
  if (operation.access === 'anyone') return null;
  if (actor.kind === 'system') return null;
  if (actor.kind === 'anonymous') return refuse('unauthenticated', 'Sign in, or send a credential.');
  if (actor.kind === 'node') return judgeNode(operation);
  return actor.kind === 'user' ? judgeUser(house, operation, actor) : judgeOperator(house, operation, actor);
}

const judgeNode = ({ access }: Operation): Refusal | null =>
  access === 'node' || access === 'node_or_operator'
    ? null
    : refuse('forbidden', "A node's key is for usage, and for nothing else.");

const onlyNodes = (): Refusal => refuse('forbidden', 'Only a node may do this: send its key as the bearer token.');

function judgeUser(house: House, operation: Operation, actor: UserActor): Refusal | null {
  if (operation.access === 'node') return onlyNodes();
  if (operation.access !== 'user') return refuse('forbidden', 'Only an operator may do this.');
  if (actor.viewer !== undefined) return judgeViewer(operation);
  if (actor.scopes !== undefined) {
    const scope = scopeOf(operation);
    if (scope === null) return refuse('forbidden', 'Keys may not do this: sign in.');
    if (!actor.scopes.includes(scope))
      return refuse('forbidden', `This key is not for that: it needs the scope ${scope}.`);
    return null;
  }
  const right = rightOf(operation);
  // Of themselves everybody may decide; it is money and secrets that a browser left open must not give away.
  return right === 'people' && operation.proof !== 'always' ? null : requireProof(house, right, actor);
}

/** Looking as a user must neither change what is theirs nor take out more than one sees. */
function judgeViewer(operation: Operation): Refusal | null {
  const isLooking = isReading(operation) && rightOf(operation) === 'look';
  if (isLooking || operation.endsViewing === true) return null;
  return refuse('forbidden', 'You look at this account as its user does, and can change nothing. Stop looking first.');
}

function judgeOperator(house: House, operation: Operation, actor: OperatorActor): Refusal | null {
  if (operation.access === 'node') return onlyNodes();
  const right = rightOf(operation);
  if (roleHas(actor.role, right)) return requireProof(house, right, actor);
  const self = selfOf(operation, actor);
  return self === null
    ? refuse('forbidden', `The role ${actor.role} does not allow this.`)
    : judgeUser(house, operation, self);
}

/** An operator remains a user: of themselves they decide whatever their role is. Null: the operation is not about that. */
function selfOf(operation: Operation, { role, userSid, credential }: OperatorActor): UserActor | null {
  if (userSid === null || operation.forSelf !== true || roleHas(role, rightOf(operation))) return null;
  return { kind: 'user', id: `user:${userSid}`, userSid, ...(credential && { credential }) };
}

/** Refuses reauth_required where the right takes somebody who has just shown who they are, and this caller has not. */
export function requireProof(house: House, right: Right, { credential }: UserActor | OperatorActor): Refusal | null {
  if (credential === undefined || !needsStepUp(right)) return null;
  const { provenAt } = credential;
  if (provenAt !== null && house.ports.clock.now().getTime() - provenAt.getTime() <= STEP_UP_MS) return null;
  const message = `Show once more who you are: for this a sign-in may be ${STEP_UP_MINUTES} minutes old at most.`;
  return refuse('reauth_required', message);
}

/** The caller as what they are to this operation: an organisation in which they are too little is out of sight. */
export function reachOf(operation: Operation, actor: Actor): Actor {
  if (actor.kind === 'operator') return selfOf(operation, actor) ?? actor;
  if (actor.kind !== 'user' || actor.memberships === undefined) return actor;
  const needed = memberOf(operation);
  const memberships = new Map([...actor.memberships].filter(([, has]) => memberReaches(has, needed)));
  return { ...actor, memberships };
}
