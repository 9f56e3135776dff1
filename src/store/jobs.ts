import { statement, type Tx } from './db.ts';

const enqueueStatement = statement(
  'job.enqueue',
  // By the database's clock, which also decides what is due: with ours an hour behind, another try would be due at once, again and again.
  // Our own back-off decides about another try of the work; the queue's tries are for a database that was away.
  `select 1 from graphile_worker.add_job($1, payload => $2::json, run_at => now() + make_interval(secs => $3::float8 / 1000), job_key => $4, max_attempts => 25)`,
);

/**
 * The job queue: graphile-worker's table, written in the caller's transaction.
 *
 * One job waits for each (name, sid): adding it again before it runs moves it to the later call's time. A job is a nudge; what is left
 * to do is said by the rows themselves, and a sweep finds what a lost job would have done.
 */
export function graphileJobs() {
  return {
    async enqueue(
      tx: Tx,
      name:
        | 'webhook.apply'
        | 'payment.check'
        | 'correction.run'
        | 'refund.send'
        | 'auto-recharge.run'
        | 'standing.watch',
      payload: { readonly sid: string },
      options: { readonly delayMs?: number } = {},
    ): Promise<void> {
      const key = `${name}:${payload.sid}`;
      await tx.query(enqueueStatement, [name, JSON.stringify(payload), options.delayMs ?? 0, key]);
    },
  };
}
