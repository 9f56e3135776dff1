/** One in so many crash points is tried by `npm test`; CI tries each (`CRASH_EVERY=1`). */
export const CRASH_EVERY = Number(process.env['CRASH_EVERY'] ?? 3);
