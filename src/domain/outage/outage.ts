/** What can be down: a node that reports usage; a place of the pool; everything on a host; one VM. */
export const OUTAGE_SUBJECTS = ['node', 'machine', 'host', 'allocation'] as const;
export type OutageSubject = (typeof OUTAGE_SUBJECTS)[number];

/** `settling`: it is over, and what is to be given back is being given back. */
export const OUTAGE_STATES = ['open', 'settling', 'done', 'cancelled'] as const;
export type OutageState = (typeof OUTAGE_STATES)[number];

/** Who says so. */
export const OUTAGE_SOURCES = ['operator', 'provisioner'] as const;
export type OutageSource = (typeof OUTAGE_SOURCES)[number];

/** From an instant until another, which is not part of it. */
export interface Span {
  readonly from: Date;
  readonly until: Date;
}

/** A time that may go on. */
export interface DownTime {
  readonly from: Date;
  /** Null: it goes on. */
  readonly until: Date | null;
}

export const isDownAt = (outages: readonly DownTime[], at: Date): boolean =>
  outages.some(({ from, until }) => at >= from && (until === null || at < until));

const isSomething = ({ from, until }: Span): boolean => from < until;

/** What two spans share; null: nothing. */
export function sharedBy(one: Span, other: Span): Span | null {
  const shared = {
    from: one.from > other.from ? one.from : other.from,
    until: one.until < other.until ? one.until : other.until,
  };
  return isSomething(shared) ? shared : null;
}

/** A span without the times of others, which may overlap each other and come in any order. */
export function without(span: Span, taken: readonly Span[]): Span[] {
  let left = [span];
  for (const { from, until } of taken) {
    left = left
      .flatMap((one) => [
        { from: one.from, until: one.until < from ? one.until : from },
        { from: one.from > until ? one.from : until, until: one.until },
      ])
      .filter(isSomething);
  }
  return left;
}
