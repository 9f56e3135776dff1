import { walletOf, type EntryFacts } from '../../domain/ledger/posting.ts';
import type { Tx } from '../../store/db.ts';
import { walletsWithGrants } from '../../store/grant-use.ts';
import { listCorrectionIdems } from '../../store/usage-line.ts';
import { returnGiven } from '../grant/return-given.ts';
import type { House } from '../house.ts';
import type { UsageLine } from './usage-line.ts';

/** A line whose charge was changed a moment ago. */
export interface ChangedLine {
  readonly line: UsageLine;
  /** The posting that has changed it. */
  readonly idem: string;
  readonly made: Pick<EntryFacts, 'amount' | 'occurredAt'>;
}

/** Puts what corrected lines have given back to the grants that had paid them, in the transaction of the correction. */
export async function returnOfLines(tx: Tx, house: House, changed: readonly ChangedLine[]): Promise<void> {
  const cheaper = changed.filter(({ made }) => made.amount > 0n);
  const withGrants = await walletsWithGrants(
    tx,
    cheaper.map(({ line }) => walletOf(line.account)),
  );
  const concerned = cheaper.filter(({ line }) => withGrants.has(walletOf(line.account)));
  if (concerned.length === 0) return;
  const lines = concerned.map(({ line }) => line);
  const corrections = await listCorrectionIdems(tx, lines);
  await returnGiven(
    tx,
    house,
    concerned.map(({ line, idem, made }) => ({
      wallet: walletOf(line.account),
      idem,
      paidBy: [
        line.idem,
        ...corrections.flatMap((row) =>
          row.account === line.account && row.seq === line.seq && row.idem !== idem ? row.idem : [],
        ),
      ],
      cost: -(line.moved + made.amount),
      occurredAt: made.occurredAt,
      description: `To given credit: ${line.about.description ?? line.about.resource}`,
    })),
  );
}
