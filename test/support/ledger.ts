import { deriveIdem, fingerprintOf } from '../../src/domain/idem.ts';
import { liveAccount, type PostingKind, type PostingRecord } from '../../src/domain/ledger/posting.ts';
import { micros } from '../../src/domain/money.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { openUserWithWallet } from '../../src/operations/user/open-wallet.ts';
import type { Db, Tx } from '../../src/store/db.ts';
import { applyPostings, ensureSystemAccount } from '../../src/store/ledger.ts';
import type { WalletRow } from '../../src/store/wallet.ts';

/** Opens wallets for a test, each of a user of its own. */
export async function openWallets(db: Db, ports: Ports, count: number): Promise<WalletRow[]> {
  const wallets: WalletRow[] = [];
  for (let index = 0; index < count; index += 1) {
    const opened = await db.transaction('test.open_wallet', (tx) =>
      openUserWithWallet(tx, ports, { displayName: `User ${index}`, identities: [] }),
    );
    if (opened) wallets.push(opened.wallet);
  }
  return wallets;
}

export interface DebitOf {
  readonly wallet: Pick<WalletRow, 'id'>;
  readonly amount: bigint;
  readonly key: string;
  /** A system account; negative. */
  readonly contra: bigint;
  readonly kind?: PostingKind;
  readonly mayOverdraw?: boolean;
}

/** A posting between a wallet and a system account: a negative amount debits the wallet. */
export function posting({ wallet, amount, key, contra, kind = 'debit', mayOverdraw = false }: DebitOf): PostingRecord {
  return {
    idem: deriveIdem('test', key),
    fingerprint: fingerprintOf([wallet.id.toString(), amount.toString()]),
    kind,
    legs: [
      { account: liveAccount(wallet.id, 'wallet'), amount: micros(amount) },
      { account: contra, amount: micros(-amount) },
    ],
    mayOverdraw,
    passesFreeze: false,
    occurredAt: new Date('2026-01-01T00:00:00Z'),
    about: null,
  };
}

/** Puts money in, as an adjustment would. */
export async function fund(db: Db, ports: Ports, wallet: Pick<WalletRow, 'id'>, amount: bigint): Promise<void> {
  await db.transaction('test.fund', async (tx) => {
    const contra = await ensureSystemAccount(tx, 'equity:adjustment', 'USD');
    await post(tx, ports, [posting({ wallet, amount, key: `fund:${ports.ids.sid()}`, contra, kind: 'adjustment' })]);
  });
}

export const post = (tx: Tx, ports: Ports, records: readonly PostingRecord[]) =>
  applyPostings(tx, records, { batch: ports.ids.batchId(), recordedAt: ports.clock.now() });
