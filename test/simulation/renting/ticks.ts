/** What happens by itself in a life of renting. */
export const RENTING_TICKS: ReadonlySet<string> = new Set([
  'webhooks.sweep',
  'holds.expire',
  'plans.renew',
  'grants.expire',
  'standings.watch',
  'standings.due',
  'allocations.check',
  'allocations.steer',
  'allocations.release-excess',
  'allocations.release',
  'outages.resume',
]);
/** Of them, what every life has. */
const OF_EVERYBODY: ReadonlySet<string> = new Set(['webhooks.sweep', 'holds.expire', 'standings.watch']);
/** Where nobody rents they would find nothing, in every third step of a life. */
export const OF_RENTERS: ReadonlySet<string> = new Set([...RENTING_TICKS].filter((name) => !OF_EVERYBODY.has(name)));
