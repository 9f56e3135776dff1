import { refuse, type Refusal } from '../../domain/refusal.ts';
import { ForgeFailure } from '../../providers/usage-repository.ts';

export const notConfigured = (): Refusal =>
  refuse(
    'unavailable',
    'No repository for usage is configured. Set FORGE_URL, FORGE_USAGE_REPOSITORY (owner/name) and FORGE_USAGE_TOKEN, and start again.',
  );

/** A failure of the Forge as an answer. Throws what is none. */
export function forgeAway(error: unknown): Refusal {
  if (!(error instanceof ForgeFailure)) throw error;
  return refuse('unavailable', `${error.message} Nothing is lost: it is tried again at the next tick.`, {
    retryAfterSeconds: 60,
  });
}
