import { assert } from '../domain/assert.ts';
import type { Outcome, PostingRecord } from '../domain/ledger/posting.ts';
import { refuse, type Refusal } from '../domain/refusal.ts';
import type { Ports } from '../ports/ports.ts';
import type { Db } from './db.ts';
import { applyPostings, laneKey, type KeyCheck } from './ledger.ts';

export interface LaneLimits {
  /** 2–4 a process: one commit runs while the next batch gathers; more only fight over the same cores. */
  readonly lanes: number;
  /** The most records of one commit: 2,000 cost 15 % less each than 1,000; a longer batch holds its locks longer and gains little. */
  readonly batchRecordsMax: number;
  /** Records waiting in all lanes together; over it a record is refused, so that memory and waiting time stay bounded. */
  readonly queueMax: number;
}

/** The records of one call. It is answered when the last of them is, or as soon as one of them fails. */
interface Call {
  readonly outcomes: (Outcome | Refusal)[];
  missing: number;
  readonly resolve: (outcomes: readonly (Outcome | Refusal)[]) => void;
  readonly reject: (reason: unknown) => void;
}

interface Waiting {
  readonly record: PostingRecord;
  readonly call: Call;
  /** Where its outcome stands in the call's. */
  readonly place: number;
}

const STOPPING = 'The service is stopping. Send the request again in a moment.';
const QUEUE_FULL = 'Too many postings are waiting. Send the request again in a moment.';

/** The waiting records of some wallets. While some are in flight no others of them are, so their order is kept. */
interface Lane {
  readonly waiting: Waiting[];
  inFlight: number;
}

/**
 * Records under which all lanes work as one: a batch this small is mostly the fixed cost of its transaction (about 1 ms of
 * processor time in PostgreSQL and Node together), so two of them side by side only pay it twice.
 */
const ONE_LANE_RECORDS_MAX = 128;

/**
 * Group commit: single records handed in by many callers share one transaction.
 *
 * An idle lane flushes at once; a busy one collects what arrives meanwhile. There is no timer: under light load a record waits
 * for at most one commit, under heavy load the batches grow by themselves. A record keeps to the lane of its wallet, so one
 * wallet's records are decided in the order of arrival and two lanes seldom want the same row.
 */
export class PostingQueue {
  readonly #db: Db;
  readonly #ports: Ports;
  readonly #limits: LaneLimits;
  readonly #lanes: readonly Lane[];
  /** Batches that are in a transaction, and the turn that gathers the next ones. None of them rejects. */
  readonly #underWay = new Set<Promise<void>>();
  #isGathering = false;
  #keyCheck: KeyCheck = 'take_for_new';
  #isClosed = false;

  constructor(db: Db, ports: Ports, limits: LaneLimits) {
    this.#db = db;
    this.#ports = ports;
    this.#limits = limits;
    this.#lanes = Array.from({ length: limits.lanes }, () => ({ waiting: [], inFlight: 0 }));
  }

  /** Records that wait for a commit or are in one. */
  get depth(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting.length + lane.inFlight, 0);
  }

  hasRoomFor(records: number): boolean {
    return this.depth === 0 || this.depth + records <= this.#limits.queueMax;
  }

  /**
   * Takes one record in and resolves after its commit.
   *
   * Refuses 'rate_limited' when the queue is full, 'unavailable' while the house is closing: nothing was taken in.
   * Rejects when the database cannot be reached; whether the record was posted is then unknown until it is sent again.
   */
  async post(record: PostingRecord): Promise<Outcome | Refusal> {
    const [outcome] = await this.postAll([record]);
    assert(outcome !== undefined, 'a record has an outcome');
    return outcome;
  }

  /**
   * As {@link post}, for records that are answered together: an outcome for each, in their order, after the last of them is committed.
   *
   * They do not become one transaction: each goes with the lane of its wallet.
   */
  postAll(records: readonly PostingRecord[]): Promise<readonly (Outcome | Refusal)[]> {
    if (records.length === 0) return Promise.resolve([]);
    if (this.#isClosed) {
      const stopping = refuse('unavailable', STOPPING, { retryAfterSeconds: 5 });
      return Promise.resolve(records.map(() => stopping));
    }
    const room = Math.max(0, this.#limits.queueMax - this.depth);
    const full = refuse('rate_limited', QUEUE_FULL, { retryAfterSeconds: 1 });
    return new Promise((resolve, reject) => {
      const missing = Math.min(room, records.length);
      const call: Call = { outcomes: records.map(() => full), missing, resolve, reject };
      if (missing === 0) return resolve(call.outcomes);
      for (const [place, record] of records.slice(0, missing).entries())
        this.#laneOf(record).waiting.push({ record, call, place });
      this.#gather();
    });
  }

  #laneOf(record: PostingRecord): Lane {
    const lane = this.#lanes[Number(laneKey(record) % BigInt(this.#lanes.length))];
    assert(lane !== undefined, 'there is at least one lane');
    return lane;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /**
   * Callers that were answered together come back together, each a few steps later than the one before: a turn of the event
   * loop lets them share the next commit. Without it 64 callers made batches of a few records each.
   */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#watch(this.#startAfterTurn());
  }

  async #startAfterTurn(): Promise<void> {
    await this.#ports.clock.turn();
    this.#isGathering = false;
    this.#start();
  }

  #start(): void {
    if (this.depth <= ONE_LANE_RECORDS_MAX) {
      if (this.#lanes.every((lane) => lane.inFlight === 0)) this.#startBatch(this.#lanes);
      return;
    }
    for (const lane of this.#lanes) if (lane.inFlight === 0) this.#startBatch([lane]);
  }

  #startBatch(lanes: readonly Lane[]): void {
    const batch: Waiting[] = [];
    for (const lane of lanes) {
      const taken = lane.waiting.splice(0, this.#limits.batchRecordsMax - batch.length);
      lane.inFlight = taken.length;
      batch.push(...taken);
    }
    if (batch.length > 0) this.#watch(this.#run(batch, lanes));
  }

  async #run(batch: readonly Waiting[], lanes: readonly Lane[]): Promise<void> {
    await this.#flush(batch);
    for (const lane of lanes) lane.inFlight = 0;
    this.#gather();
  }

  #watch(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #flush(batch: readonly Waiting[]): Promise<void> {
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.#apply(batch.map((waiting) => waiting.record));
    } catch (error) {
      await this.#divide(batch, error);
      return;
    }
    for (const [index, { call, place }] of batch.entries()) {
      const outcome = outcomes[index];
      if (!outcome) {
        call.reject(new Error('the batch gave no outcome for a record'));
        continue;
      }
      call.outcomes[place] = outcome;
      call.missing -= 1;
      if (call.missing === 0) call.resolve(call.outcomes);
    }
  }

  /** The database retries what is worth retrying; what still fails may be one bad record, which must not starve its neighbours. */
  async #divide(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1 || isOutage(error)) {
      for (const { call } of batch) call.reject(error);
      return;
    }
    this.#ports.log.warn({ records: batch.length, error: String(error) }, 'a batch of postings failed and is split');
    const middle = Math.ceil(batch.length / 2);
    await this.#flush(batch.slice(0, middle));
    await this.#flush(batch.slice(middle));
  }

  /**
   * Nearly every key is new, and looking a new key up costs as much as writing its entry to one index. And nearly every budget is
   * enough, and its row, locked before the decision, would keep all batches with records of this node apart. So keys are taken for
   * new and budgets for enough until one is not: that batch runs again with the look-up, and so do the next ones until a batch has only new keys.
   */
  async #apply(records: readonly PostingRecord[]): Promise<Outcome[]> {
    const { ids, clock } = this.#ports;
    let keyCheck = this.#keyCheck;
    const outcomes = await this.#db.transaction('ledger.post', (tx) => {
      const applied = applyPostings(tx, records, { batch: ids.batchId(), recordedAt: clock.now() }, keyCheck);
      // If there is another attempt: a key was not new, a budget was not enough, or it is not known whether this attempt was committed.
      keyCheck = 'look_up';
      return applied;
    });
    this.#keyCheck = outcomes.some((outcome) => LOOK_NEXT.has(outcome.kind)) ? 'look_up' : 'take_for_new';
    return outcomes;
  }
}

/** After a repetition others follow, and a budget that is used up stays so until its hour is over. */
const LOOK_NEXT: ReadonlySet<Outcome['kind']> = new Set(['duplicate', 'key_reused', 'over_budget']);

/** Names, not classes: the database adapter is a port like others, and this one condition is all the lanes know of it. */
const isOutage = (error: unknown): boolean => error instanceof Error && error.name === 'DatabaseUnavailable';

export function openPostingLanes(db: Db, ports: Ports, limits: LaneLimits): PostingQueue {
  return new PostingQueue(db, ports, limits);
}
