import { SignInFailure } from '../identity-provider.ts';

/** `openid-client` wraps what `fetch` throws, and its own errors once more; five levels are more than it uses. */
function* causes(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    yield current;
    current = current.cause;
  }
}

/**
 * An exception of the library as our failure. Messages name the kind of failure and the error code of the standard, never what else the
 * issuer wrote: its texts can quote codes and tokens.
 */
export function toSignInFailure(error: unknown, { isDiscovery = false } = {}): SignInFailure {
  for (const cause of causes(error)) if (cause instanceof SignInFailure) return cause;
  const said = standardCode(error);
  if (isDiscovery)
    return new SignInFailure('misconfigured', `There is no discovery document to go by (${reasonOf(error)}).`);
  if (said === 'access_denied') return new SignInFailure('denied', 'The person did not agree.');
  if (said === 'invalid_client')
    return new SignInFailure('misconfigured', 'The issuer does not know our client id, or not with this secret.');
  if (said !== null) return new SignInFailure('refused', `The issuer refused (${said}).`);
  return new SignInFailure('invalid', `The answer does not hold (${reasonOf(error)}).`);
}

/** The library's own sentence, which is constant; its `cause` holds what was answered and is left behind. */
function reasonOf(error: unknown): string {
  const sentences = [...causes(error)].map(({ message }) => message);
  return sentences.at(-1) ?? 'no reason';
}

/** `error` of an answer by the standard: an authorization response's or a token endpoint's. Null: it is none of them. */
function standardCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('error' in error) || typeof error.error !== 'string') return null;
  return /^[a-z_]{1,40}$/.test(error.error) ? error.error : 'an unknown code';
}
