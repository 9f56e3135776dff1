/** What an operator is there for. */
export const OPERATOR_ROLES = ['support', 'auditor', 'finance', 'admin'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** An identity that the configuration gives a role. */
export interface ListedOperator {
  /** Without a slash at the end. */
  readonly issuer: string;
  readonly subject: string;
  readonly role: OperatorRole;
}

/**
 * What an operation asks of an operator's role.
 *
 * look: reads · export: takes data out in bulk · work: what moves nothing by itself, such as asking a provider again · money: moves money or
 * decides that it moves · configure: prices, policies and the like · secrets: makes or changes a credential · people: who may do what.
 */
export const RIGHTS = ['look', 'export', 'work', 'money', 'configure', 'secrets', 'people'] as const;
export type Right = (typeof RIGHTS)[number];

const RIGHTS_OF: Readonly<Record<OperatorRole, readonly Right[]>> = {
  support: ['look'],
  auditor: ['look', 'export'],
  finance: ['look', 'export', 'work', 'money'],
  admin: RIGHTS,
};

export const roleHas = (role: OperatorRole, right: Right): boolean => RIGHTS_OF[role].includes(right);

/** What nobody does with a sign-in of this morning that a stranger found open. */
const PROVEN_ANEW: ReadonlySet<Right> = new Set<Right>(['money', 'secrets', 'people']);

/** Whether it takes somebody who showed who they are within the last {@link STEP_UP_MINUTES}. */
export const needsStepUp = (right: Right): boolean => PROVEN_ANEW.has(right);

export const STEP_UP_MINUTES = 10;

/** Of several roles of one person the one that counts: the later in {@link OPERATOR_ROLES}; null for none. */
export function strongestRole(roles: readonly (OperatorRole | null)[]): OperatorRole | null {
  return OPERATOR_ROLES.findLast((role) => roles.includes(role)) ?? null;
}

/** What a member of an organisation may do with its wallet: look · also put money in and spend · also everything else. */
export const MEMBER_ROLES = ['viewer', 'member', 'owner'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

export const memberReaches = (has: MemberRole, needed: MemberRole): boolean =>
  MEMBER_ROLES.indexOf(has) >= MEMBER_ROLES.indexOf(needed);

/** What a user's key is for. */
export const KEY_SCOPES = ['read', 'top_up', 'spend'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];
