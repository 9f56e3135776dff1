import { FRACTIONS_PER_MICRO } from '../../src/domain/ledger/posting.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import type { PlanStory } from '../plan/plan-story.ts';
import { post, posting } from '../support/ledger.ts';

/** The owner of a wallet uses something, now. */
export async function use(
  { database: { db }, ports }: PlanStory,
  wallet: Pick<WalletRow, 'id'>,
  amount: bigint,
): Promise<void> {
  await db.transaction('test.use', async (tx) => {
    const contra = await ensureSystemAccount(tx, 'revenue:usage', 'USD');
    const record = posting({ wallet, amount: -amount, key: `use:${ports.ids.sid()}`, contra, kind: 'usage' });
    const about = JSON.stringify({ category: 'llm', parts: `${amount * FRACTIONS_PER_MICRO}` });
    await post(tx, ports, [{ ...record, about }]);
  });
}

export const inMs = ({ ports }: PlanStory, ms: number): Date => new Date(ports.clock.now().getTime() + ms);
