import type { OperatorRole } from '../../domain/identity/role.ts';
import type { IdentityKind } from '../../store/identity.ts';

/** That somebody is who they say, as far as a provider or a round trip has shown it. */
export interface Proof {
  readonly kind: IdentityKind;
  /** Of an OpenID provider its issuer, without a slash at the end; 'mycelium' or 'sandbox' otherwise. */
  readonly issuer: string;
  readonly subject: string;
  /** For lists: a user name, an address. Nothing follows from it. */
  readonly label: string;
  /** What a new user is called. */
  readonly displayName: string;
  readonly claimedRole: OperatorRole | null;
}

/** Two issuers that differ by a slash at the end are one: what a provider's own configuration does with it may change with its version. */
export const issuerKey = (issuer: string): string => issuer.replace(/\/+$/, '');
