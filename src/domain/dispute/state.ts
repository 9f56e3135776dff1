/** Where a dispute stands. The names are stored and shown: add, never rename. */
export const DISPUTE_STATES = ['inquiry', 'open', 'won', 'lost'] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];

/** Whether the provider may still change its mind by itself; what is over can be opened again, but nobody waits for it. */
export const isUnderWay = (state: DisputeState): boolean => state === 'inquiry' || state === 'open';
