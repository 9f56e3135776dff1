import { statement, type Tx } from './db.ts';

/** How far a sandbox is ahead of the machine, and its last move. */
export interface SandboxClockRow {
  readonly aheadMs: number;
  /** Null: it is not on its way anywhere. */
  readonly goal: Date | null;
  /** Whether a process moves it just now. */
  readonly isHeld: boolean;
  /** Where the last move began; null: it was never moved. */
  readonly movedFrom: Date | null;
  readonly stops: number;
  readonly runs: number;
  readonly failures: number;
}

interface SandboxClockRecord extends Record<string, unknown> {
  ahead_ms: bigint;
  goal: Date | null;
  is_held: boolean;
  moved_from: Date | null;
  stops: number;
  runs: number;
  failures: number;
}

const readStatement = statement(
  'sandbox_clock.read',
  // By the database's clock: ours is what moves. A stop may take long where thousands of plans renew at once.
  `select ahead_ms, goal, beat_at is not null and beat_at > clock_timestamp() - interval '1 minute' as is_held, moved_from, stops, runs, failures
   from sandbox_clock`,
);

export async function readSandboxClock(tx: Tx): Promise<SandboxClockRow> {
  const [row] = await tx.query<SandboxClockRecord>(readStatement);
  if (row === undefined) throw new Error('the row of the sandbox clock is gone');
  const { ahead_ms: aheadMs, is_held: isHeld, moved_from: movedFrom, goal, stops, runs, failures } = row;
  return { aheadMs: Number(aheadMs), goal, isHeld, movedFrom, stops, runs, failures };
}

const beginStatement = statement(
  'sandbox_clock.begin',
  `update sandbox_clock set goal = $1, moved_from = $2, beat_at = clock_timestamp(), stops = 0, runs = 0, failures = 0
   where goal is null returning true as is_begun`,
);

/** Sets out for a goal; false: it is on its way to another. */
export async function beginMove(tx: Tx, goal: Date, from: Date): Promise<boolean> {
  return (await tx.query(beginStatement, [goal, from])).length > 0;
}

const takeStatement = statement(
  'sandbox_clock.take',
  `update sandbox_clock set beat_at = clock_timestamp()
   where goal is not null and (beat_at is null or beat_at <= clock_timestamp() - interval '1 minute') returning true as is_taken`,
);

/** Takes over a move that nobody goes on with. */
export async function takeMove(tx: Tx): Promise<boolean> {
  return (await tx.query(takeStatement)).length > 0;
}

const stepStatement = statement(
  'sandbox_clock.step',
  `update sandbox_clock set ahead_ms = $2, stops = stops + $3, runs = runs + $4, failures = failures + $5, beat_at = clock_timestamp()
   where ahead_ms = $1 and goal is not null returning true as is_ahead`,
);

export interface Step {
  readonly fromMs: number;
  readonly toMs: number;
  /** What ran since the step before. */
  readonly stops: number;
  readonly runs: number;
  readonly failures: number;
}

/** One step of a move; false: another process has moved it meanwhile. */
export async function stepClock(tx: Tx, { fromMs, toMs, stops, runs, failures }: Step): Promise<boolean> {
  return (await tx.query(stepStatement, [fromMs, toMs, stops, runs, failures])).length > 0;
}

const noteStatement = statement(
  'sandbox_clock.note',
  `update sandbox_clock set stops = stops + $1, runs = runs + $2, failures = failures + $3, beat_at = clock_timestamp()`,
);

/** Counts what ran at stops. */
export async function noteStops(
  tx: Tx,
  ran: { readonly stops: number; readonly runs: number; readonly failures: number },
): Promise<void> {
  await tx.query(noteStatement, [ran.stops, ran.runs, ran.failures]);
}

const letGoStatement = statement('sandbox_clock.let_go', `update sandbox_clock set beat_at = null`);

/** Leaves a move to whoever takes it up. */
export async function letGoOfMove(tx: Tx): Promise<void> {
  await tx.query(letGoStatement);
}

const endStatement = statement(
  'sandbox_clock.end',
  `update sandbox_clock set goal = null, beat_at = null where goal = $1`,
);

export async function endMove(tx: Tx, goal: Date): Promise<void> {
  await tx.query(endStatement, [goal]);
}

const eventsStatement = statement(
  'sandbox_clock.events',
  `select type, count(*) as count from event where occurred_at >= $1 and occurred_at <= $2 group by type order by type`,
);

/** What was told of between two instants. */
export async function countEvents(
  tx: Tx,
  from: Date,
  to: Date,
): Promise<{ readonly type: string; readonly count: bigint }[]> {
  return await tx.query<{ type: string; count: bigint }>(eventsStatement, [from, to]);
}
