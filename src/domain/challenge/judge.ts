/** From the sending of the code to the last moment at which it is taken. */
export const CHALLENGE_MS = 5 * 60_000;
/** The last of so many wrong codes ends a challenge. */
export const TRIES_MAX = 5;
/** So often a node is written to within {@link CHALLENGE_MS}, whoever asks: nobody's inbox is filled through us. */
export const CHALLENGES_PER_NODE_MAX = 5;

/** What of a challenge changes as it is tried. */
export interface Standing {
  readonly tries: number;
  readonly repliedAt: Date | null;
  readonly endedAt: Date | null;
}

/** proven: it holds, and is over with that · wrong: so many tries are left · waiting: neither a code nor a reply yet · over. */
export type Verdict =
  | { readonly kind: 'proven' | 'wrong'; readonly standing: Standing; readonly triesLeft: number }
  | { readonly kind: 'waiting' | 'over' };

/** What a try at a challenge comes to. `isRight` is null when there is no code and only the node's reply counts. */
export function judgeTry(
  challenge: Standing & { readonly expiresAt: Date },
  { isRight, now }: { readonly isRight: boolean | null; readonly now: Date },
): Verdict {
  if (isOver(challenge, now)) return { kind: 'over' };
  const isProven = isRight ?? challenge.repliedAt !== null;
  if (isProven) return { kind: 'proven', standing: { ...standingOf(challenge), endedAt: now }, triesLeft: 0 };
  return isRight === null ? { kind: 'waiting' } : { kind: 'wrong', ...oneMoreWrong(challenge, now) };
}

/**
 * What a node's reply changes; null: nothing. A reply with the code and another number counts as a wrong code: whoever made it was not
 * shown the number.
 */
export function judgeReply(
  challenge: Standing & { readonly expiresAt: Date; readonly number: string },
  reply: { readonly isRightCode: boolean; readonly number: string; readonly now: Date },
): Standing | null {
  if (isOver(challenge, reply.now) || !reply.isRightCode) return null;
  if (reply.number !== challenge.number) return oneMoreWrong(challenge, reply.now).standing;
  return { ...standingOf(challenge), repliedAt: challenge.repliedAt ?? reply.now };
}

const isOver = ({ endedAt, expiresAt }: Standing & { readonly expiresAt: Date }, now: Date): boolean =>
  endedAt !== null || now.getTime() >= expiresAt.getTime();

function oneMoreWrong(challenge: Standing, now: Date): { standing: Standing; triesLeft: number } {
  const triesLeft = TRIES_MAX - challenge.tries - 1;
  const tries = challenge.tries + 1;
  return { standing: { ...standingOf(challenge), tries, endedAt: triesLeft > 0 ? null : now }, triesLeft };
}

const standingOf = ({ tries, repliedAt, endedAt }: Standing): Standing => ({ tries, repliedAt, endedAt });
