import { ProviderFailure } from './provider.ts';

/** The same failure, of which nobody can say that nothing was done. What is refused may have been done before: it is no definite no. */
export function toUnknown(failure: ProviderFailure): ProviderFailure {
  if (failure.outcome === 'unknown') return failure;
  const kind = failure.kind === 'refused' ? 'broken' : failure.kind;
  return new ProviderFailure(kind, 'unknown', failure.message, { cause: failure });
}

/**
 * Looks for what an earlier call may have done. As long as we cannot look it may be there, and so it may once it was made:
 * no failure in here is a definite no.
 */
export async function unknownIfFails<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw error instanceof ProviderFailure ? toUnknown(error) : error;
  }
}
