/**
 * The contract of somebody who says who a person is: a Forge, or any OpenID Connect issuer.
 *
 * An implementation knows neither the store nor sessions. It keeps nothing of a person: what tokens it is given end with the call.
 * Every method has a total deadline and throws {@link SignInFailure} and nothing else.
 */
export interface IdentityProvider {
  /** Part of the addresses: `/login/<name>/start`. */
  readonly name: IdentityProviderName;
  /** For a button: "Sign in with <title>". */
  readonly title: string;
  /** The page at which the person proves who they are. */
  begin(question: SignInQuestion): Promise<string>;
  /** Reads what came back, checks all of it, and says who it is. */
  finish(question: SignInQuestion, answer: SignInAnswer): Promise<ProvenIdentity>;
}

export const IDENTITY_PROVIDERS = ['forge', 'oidc'] as const;
export type IdentityProviderName = (typeof IDENTITY_PROVIDERS)[number];

/** One attempt to sign in. The three secrets are random, of this attempt alone, and known only to the browser that began it and to us. */
export interface SignInQuestion {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Our own address to which the answer comes. */
  readonly redirectUri: string;
  readonly startedAt: Date;
  /** Whether the person is to prove it anew although they are signed in there. */
  readonly isStepUp: boolean;
}

export interface SignInAnswer {
  /** The query of the address that the browser came back with. */
  readonly parameters: URLSearchParams;
}

export interface ProvenIdentity {
  /** Who vouches, without a slash at the end: Forges disagree about it, and an update must not make everybody a stranger. */
  readonly issuer: string;
  /** Whom they vouch for. Issuer and subject are the identity; nothing else is. */
  readonly subject: string;
  /** What to call the person; null: nothing was said. It can change, and two people can have the same. */
  readonly displayName: string | null;
  readonly username: string | null;
  /** Everything that was said and verified, for rules about roles. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Why nobody is signed in. Messages are for the log; they hold no token, code or secret.
 *
 * denied: the person said no · refused: the provider did · invalid: what came back is not an answer to this attempt, or does not hold ·
 * unreachable: the provider is away or broken · misconfigured: it and our settings do not fit together.
 */
export class SignInFailure extends Error {
  override readonly name = 'SignInFailure';
  readonly kind: 'denied' | 'refused' | 'invalid' | 'unreachable' | 'misconfigured';
  constructor(kind: SignInFailure['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
