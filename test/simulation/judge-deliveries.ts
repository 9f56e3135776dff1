import { createHmac } from 'node:crypto';
import type { Break } from './ledger-model.ts';
import type { Mark } from './marks.ts';

export interface JudgedDelivery {
  readonly body: Uint8Array;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The receiving process's own clock. */
  readonly now: Date;
  readonly secret: string;
  readonly status: number;
}

/** What the documents promise of a delivery's age, in seconds. */
const TOLERANCE_SECONDS = 300;

/** Holds the answer to one delivery against what its signature really is: nothing is taken in that the provider did not just sign. */
export function judgeDelivery(delivery: JudgedDelivery, breaks: Break, mark: (mark: Mark) => void): void {
  const [header = ''] = delivery.headers.get('stripe-signature') ?? [];
  const fields = new Map(header.split(',').map((part) => part.split('=', 2) as [string, string]));
  const signedAt = Number(fields.get('t'));
  const text = `${signedAt}.${Buffer.from(delivery.body).toString('utf8')}`;
  const isSigned = createHmac('sha256', delivery.secret).update(text).digest('hex') === fields.get('v1');
  const age = Math.floor(delivery.now.getTime() / 1000) - signedAt;
  const isTaken = delivery.status === 200;
  if (!isSigned) mark('a forged delivery is refused');
  else if (age > TOLERANCE_SECONDS) mark('a stale delivery is refused');
  else if (age < -TOLERANCE_SECONDS) mark('a delivery from the future is refused');
  else if (!isTaken && delivery.status < 500) breaks('an honest delivery is taken', `status ${delivery.status}`);
  if (!isTaken) return;
  if (!isSigned) breaks('a forged delivery is refused', header);
  if (Math.abs(age) > TOLERANCE_SECONDS) breaks('a delivery out of time is refused', `signed ${age} seconds ago`);
}
