import { strongestRole, type OperatorRole } from './role.ts';

/** Which role follows from what a provider says of somebody. */
export interface RoleClaim {
  /** Such as `groups`. */
  readonly claim: string;
  readonly values: readonly { readonly value: string; readonly role: OperatorRole }[];
}

/**
 * The role that a provider's verified claims give; null: none. A value must be there exactly, in a text or in a list of texts.
 *
 * An address of mail counts only when the provider says that it has verified it: on many, people type in whatever they like.
 */
export function claimedRole(claims: Readonly<Record<string, unknown>>, rule: RoleClaim | null): OperatorRole | null {
  if (rule === null) return null;
  if (rule.claim === 'email' && claims['email_verified'] !== true) return null;
  const said = Object.hasOwn(claims, rule.claim) ? claims[rule.claim] : null;
  const values: readonly unknown[] = Array.isArray(said) ? said : [said];
  return strongestRole(rule.values.filter(({ value }) => values.includes(value)).map(({ role }) => role));
}
