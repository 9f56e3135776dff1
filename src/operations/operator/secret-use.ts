import { insertAuditRows, type AuditRow } from '../../store/audit.ts';
import { leftAuditRow } from '../audit/record.ts';
import type { House } from '../house.ts';
import type { Actor, Operation } from '../operation.ts';

/** How one call of the secret's holder ended. */
export interface SecretUse {
  readonly actor: Actor;
  readonly operation: Operation;
  readonly status: number;
  readonly requestId: string;
}

const MINUTE_MS = 60_000;

/** Reads that were told of in this minute, by secret and operation. */
const told = new WeakMap<House, { minute: number; readonly reads: Set<string> }>();

/**
 * Leaves an audit row of what the holder of an admin secret did: of each write that left none by itself, and of reading once a minute for
 * each operation. A secret has no owner whom one could ask, so what it was used for must be found in the trail.
 *
 * After the answer is settled, and before it is given. What cannot be written is in the log.
 */
export async function noteSecretUse(house: House, use: SecretUse): Promise<void> {
  const { actor, operation, status, requestId } = use;
  if (actor.kind !== 'operator' || actor.userSid !== null || leftAuditRow(actor)) return;
  if (operation.http.method === 'get' && isToldAlready(house, `${actor.id} ${operation.name}`)) return;
  const { ids, clock, log } = house.ports;
  try {
    await writerOf(house).write({
      sid: ids.sid(),
      at: clock.now(),
      actor: actor.id,
      action: 'admin-secret.use',
      subject: actor.id.slice('admin:'.length),
      outcome: outcomeOf(status),
      reason: null,
      before: null,
      after: { operation: operation.name, status },
      requestId,
    });
  } catch (error) {
    log.error(
      { request_id: requestId, actor: actor.id, operation: operation.name, error },
      'a use of the admin secret has no audit row',
    );
  }
}

const outcomeOf = (status: number): AuditRow['outcome'] =>
  status < 400 ? 'done' : status < 500 ? 'refused' : 'failed';

function isToldAlready(house: House, read: string): boolean {
  const minute = Math.floor(house.ports.clock.now().getTime() / MINUTE_MS);
  const known = told.get(house);
  if (known?.minute !== minute) {
    told.set(house, { minute, reads: new Set([read]) });
    return false;
  }
  if (known.reads.has(read)) return true;
  known.reads.add(read);
  return false;
}

const writers = new WeakMap<House, RowWriter>();

function writerOf(house: House): RowWriter {
  const writer = writers.get(house) ?? new RowWriter(house);
  writers.set(house, writer);
  return writer;
}

/** Writes rows that come at the same moment by one statement: a script may debit hundreds of wallets a second. */
class RowWriter {
  readonly #house: House;
  #waiting: AuditRow[] = [];
  #next: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(house: House) {
    this.#house = house;
  }

  write(row: AuditRow): Promise<void> {
    this.#waiting.push(row);
    this.#next ??= this.#last.catch(() => undefined).then(() => this.#flush());
    return this.#next;
  }

  #flush(): Promise<void> {
    const rows = this.#waiting;
    [this.#waiting, this.#next] = [[], null];
    this.#last = insertAuditRows(this.#house.db, rows);
    return this.#last;
  }
}
