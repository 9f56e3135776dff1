import { writeAudit, type AuditFacts, type AuditRow } from '../../store/audit.ts';
import type { Tx } from '../../store/db.ts';
import type { House } from '../house.ts';

/** Whose change it is: a call, or what the house does by itself. */
export interface Author {
  readonly house: Pick<House, 'ports'>;
  readonly actor: { readonly id: string };
  readonly requestId: string;
}

/** What was changed. */
export interface Change {
  readonly action: string;
  readonly subject: string;
  /** Done, if left out. */
  readonly outcome?: AuditRow['outcome'];
  /** Null where nobody was asked for one. */
  readonly reason?: string | null;
  readonly before?: AuditFacts | null;
  readonly after?: AuditFacts | null;
}

/** The house itself as the author of a change: `system:<name>`. */
export const ownAuthor = (house: Pick<House, 'ports'>, name: string): Author => ({
  house,
  actor: { id: `system:${name}` },
  requestId: house.ports.ids.requestId(),
});

/** Those whose call left a row; an actor is an object of one call alone. */
const recorded = new WeakSet<object>();

/** Whether a call by this very actor has left an audit row. */
export const leftAuditRow = (actor: object): boolean => recorded.has(actor);

/** Writes the audit row of a change that was made, in the transaction of the change. */
export async function recordAudit(tx: Tx, { house, actor, requestId }: Author, change: Change): Promise<void> {
  const { action, subject, outcome = 'done', reason = null, before = null, after = null } = change;
  recorded.add(actor);
  await writeAudit(tx, {
    sid: house.ports.ids.sid(),
    at: house.ports.clock.now(),
    actor: actor.id,
    action,
    subject,
    outcome,
    reason,
    before,
    after,
    requestId,
  });
}
