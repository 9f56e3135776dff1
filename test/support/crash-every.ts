/** One in so many crash points is tried by `npm test`; CI tries each (`CRASH_EVERY=1`). */
export const CRASH_EVERY = Number(process.env['CRASH_EVERY'] ?? 3);

/** The same for flows with hundreds of places: fewer of them, and by a prime, so that no two rhythms fall in with one another. */
export const oneIn = (prime: number): number => (CRASH_EVERY === 1 ? 1 : prime);
