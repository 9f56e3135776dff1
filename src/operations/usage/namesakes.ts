import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { FileRecord } from '../../domain/usage/batch.ts';
import { findNodesByName, listRevokedNamesakes, type NodeRow } from '../../store/node.ts';
import { findKnownIdems } from '../../store/usage.ts';
import type { House } from '../house.ts';
import { usageIdem } from './charge-records.ts';
import { recordUsage, type Recorded, type Report } from './record-usage.ts';

/**
 * A revoked node's name is free again, and its folder becomes that of the next node of the name: with what the old one reported. A
 * record's identity is its node and key, so to the new node those records would be new. They are not: what was answered for a
 * namesake stays answered.
 */
export interface Namesakes {
  readonly sids: readonly string[];
}

/** Longer than a posting that had begun before the revocation can take to be seen: connections, statements and locks have deadlines. */
const SETTLED_AFTER_MS = 2 * 60_000;

const NOTHING_NEW: Pick<Report, 'recorded'> = { recorded: [] };

/** Refuses `rate_limited` while something of a namesake may still be on its way into the ledger. */
export async function namesakesOf({ db, ports }: House, node: NodeRow): Promise<Namesakes | Refusal> {
  const revoked = await listRevokedNamesakes(db, node.name);
  const lastAt = Math.max(0, ...revoked.map(({ revokedAt }) => revokedAt.getTime()));
  if (ports.clock.now().getTime() < lastAt + SETTLED_AFTER_MS)
    return refuse('rate_limited', 'A node of this name was revoked a moment ago; its folder is read in two minutes.');
  return { sids: revoked.map(({ sid }) => sid) };
}

/**
 * Records one batch of a node's file; null where a namesake was answered for the record. A node that was revoked meanwhile records nothing.
 *
 * Safe to: run again, concurrently, as `recordUsage` is.
 */
export async function recordOfFolder(
  house: House,
  node: NodeRow,
  { sids }: Namesakes,
  records: readonly FileRecord[],
): Promise<(Recorded | null)[] | Refusal> {
  const [now] = await findNodesByName(house.db, [node.name]);
  if (now?.sid !== node.sid) return refuse('forbidden', 'The node was revoked while its folder was read.');
  const idemsOf = ({ idempotency_key: key }: FileRecord): string[] =>
    typeof key === 'string' ? sids.map((sid) => usageIdem(sid, key)) : [];
  const idems = records.flatMap(idemsOf);
  const known = idems.length === 0 ? new Set<string>() : await findKnownIdems(house.db, idems);
  const isAnswered = records.map((record) => idemsOf(record).some((idem) => known.has(idem)));
  const fresh = records.filter((_, index) => isAnswered[index] !== true);
  const report = fresh.length === 0 ? NOTHING_NEW : await recordUsage(house, now, fresh);
  if (isRefusal(report)) return report;
  let next = 0;
  return isAnswered.map((wasAnswered) => (wasAnswered ? null : (report.recorded[next++] ?? null)));
}
