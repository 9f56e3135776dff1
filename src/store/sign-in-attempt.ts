import { statement, type Tx } from './db.ts';

const useStatement = statement(
  'sign_in_attempt.use',
  `insert into sign_in_attempt (state_hash, expires_at) values ($1, $2) on conflict do nothing returning expires_at`,
);

/** False when it was used before, here or by another process. */
export async function useAttempt(tx: Tx, stateHash: Uint8Array, expiresAt: Date): Promise<boolean> {
  return (await tx.query(useStatement, [Buffer.from(stateHash), expiresAt])).length === 1;
}

const deleteStatement = statement(
  'sign_in_attempt.delete_expired',
  `delete from sign_in_attempt where expires_at < $1`,
);

/** Those that are refused for their age by now. */
export async function deleteExpiredAttempts(tx: Tx, before: Date): Promise<void> {
  await tx.query(deleteStatement, [before]);
}
