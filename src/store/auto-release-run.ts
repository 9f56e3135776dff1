import { statement, type Tx } from './db.ts';

/** The last time that VMs whose time is over were looked at. */
export interface AutoReleaseRun {
  /** When it ended. */
  readonly ranAt: Date;
  readonly examined: number;
  readonly expired: number;
  readonly released: number;
  readonly alreadyReleased: number;
  readonly errors: number;
}

interface AutoReleaseRecord extends Record<string, unknown> {
  ran_at: Date;
  examined: number;
  expired: number;
  released: number;
  already_released: number;
  errors: number;
}

const readStatement = statement(
  'auto_release_run.read',
  `select ran_at, examined, expired, released, already_released, errors from auto_release_run`,
);

/** Null: it has never run. */
export async function readAutoReleaseRun(tx: Tx): Promise<AutoReleaseRun | null> {
  const [row] = await tx.query<AutoReleaseRecord>(readStatement);
  if (row === undefined) return null;
  const { ran_at: ranAt, already_released: alreadyReleased, examined, expired, released, errors } = row;
  return { ranAt, examined, expired, released, alreadyReleased, errors };
}

const saveStatement = statement(
  'auto_release_run.save',
  `insert into auto_release_run (ran_at, examined, expired, released, already_released, errors) values ($1, $2, $3, $4, $5, $6)
   on conflict (id) do update set ran_at = excluded.ran_at, examined = excluded.examined, expired = excluded.expired,
     released = excluded.released, already_released = excluded.already_released, errors = excluded.errors
   where auto_release_run.ran_at <= excluded.ran_at`,
);

/** Of runs of several processes the one that ended last stays. */
export async function saveAutoReleaseRun(tx: Tx, run: AutoReleaseRun): Promise<void> {
  await tx.query(saveStatement, [run.ranAt, run.examined, run.expired, run.released, run.alreadyReleased, run.errors]);
}
