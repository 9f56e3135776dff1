import { deleteOldChallenges } from '../../store/challenge.ts';
import type { House } from '../house.ts';

const KEPT_MS = 86_400_000;

/** Forgets challenges a day after their end. */
export async function pruneOldChallenges({ db, ports }: House): Promise<void> {
  await deleteOldChallenges(db, new Date(ports.clock.now().getTime() - KEPT_MS));
}
