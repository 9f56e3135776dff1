/** One in so many crash points is tried by `npm test`, a prime so that no two rhythms fall in with one another; CI tries each (`CRASH_EVERY=1`). */
export const CRASH_EVERY = Number(process.env['CRASH_EVERY'] ?? 7);

const OF_HUNDREDS_EVERY = Number(process.env['CRASH_OF_HUNDREDS_EVERY'] ?? 5);

/** The same for flows with hundreds of places: fewer of them, and one in five in CI (`CRASH_OF_HUNDREDS_EVERY=1`: each, in some minutes). */
export const oneIn = (prime: number): number => (CRASH_EVERY === 1 ? OF_HUNDREDS_EVERY : prime);
