import { deleteExpiredAttempts } from '../../store/sign-in-attempt.ts';
import type { House } from '../house.ts';

/** Forgets which sign-in attempts were used, once all of them are refused for their age. */
export async function forgetAttempts({ db, ports }: House): Promise<void> {
  await deleteExpiredAttempts(db, ports.clock.now());
}
