import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';

/** An audit row of wrong admin secrets, the last of which came from this address. What cannot be written is in the log. */
export async function recordSecretFailures(
  house: House,
  seen: { readonly failures: number; readonly address: string; readonly requestId: string },
): Promise<void> {
  const { failures, address, requestId } = seen;
  house.ports.log.warn({ request_id: requestId, failures, address }, 'wrong admin secrets');
  try {
    await recordAudit(
      house.db,
      { house, actor: { id: 'anonymous' }, requestId },
      {
        action: 'admin-secret.failures',
        subject: 'admin-secret',
        outcome: 'refused',
        after: { failures, last_address: address },
      },
    );
  } catch (error) {
    house.ports.log.error({ request_id: requestId, error }, 'wrong admin secrets have no audit row');
  }
}
