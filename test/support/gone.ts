import { expect, vi } from 'vitest';
import type { TestDatabase } from './database.ts';

/**
 * Until the database has let go of what the dead one held. It does so a moment after the connection is gone; whoever comes sooner
 * finds the key busy, and waits by a clock that stands still.
 */
export async function gone(told: { readonly database: Pick<TestDatabase, 'owner'> }): Promise<void> {
  const text = `select pid from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`;
  await vi.waitFor(
    async () => expect(await told.database.owner.query({ name: 'test.open_transactions', text })).toEqual([]),
    { timeout: 20_000, interval: 5 },
  );
}
