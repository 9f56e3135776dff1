import { ProviderFailure } from '../../providers/provider.ts';
import type { House } from '../house.ts';
import { reconcilePayments } from '../payment/reconcile.ts';
import { readProviderStatement } from './read-statement.ts';
import { reportOn, type AccountReport } from './unexplained.ts';

export interface Reconciled {
  readonly reports: readonly AccountReport[];
  /** Providers that could not be asked, with the reason. */
  readonly failed: readonly { readonly provider: string; readonly reason: string }[];
}

/**
 * Settles what the providers' lists of orders say, reads their account statements, and tells what neither explains.
 *
 * A provider that fails is reported and read again next time; the others are read all the same.
 */
export async function reconcileAll(house: House): Promise<Reconciled> {
  await reconcilePayments(house);
  const reports: AccountReport[] = [];
  const failed: { provider: string; reason: string }[] = [];
  for (const provider of house.providers.values()) {
    try {
      const { read } = await readProviderStatement(house, provider);
      reports.push(await reportOn(house, read));
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      failed.push({ provider: provider.name, reason: error.message });
      house.ports.log.warn(
        { provider: provider.name, kind: error.kind, error },
        "a provider's account statement could not be read",
      );
    }
  }
  for (const report of reports) tell(house, report);
  return { reports, failed };
}

function tell(house: House, { provider, account, unexplained, remainder, items }: AccountReport): void {
  const facts = { provider, account, unexplained, remainder, items: items.length };
  if (items.length === 0 && remainder === '0.00')
    house.ports.log.info(facts, 'a provider account is explained to the cent');
  else house.ports.log.warn(facts, 'a provider account differs from our books');
}
