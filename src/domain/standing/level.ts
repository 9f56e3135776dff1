export const WALLET_LEVELS = ['ok', 'low', 'empty'] as const;
export type WalletLevel = (typeof WALLET_LEVELS)[number];

/** How full a wallet is. What is set aside counts: most of it comes back, and a hold that is opened and released is no news. */
export function levelOf(wallet: { readonly held: bigint; readonly lowBalance: bigint }): WalletLevel {
  if (wallet.held <= 0n) return 'empty';
  return wallet.held < wallet.lowBalance ? 'low' : 'ok';
}

/** What is told of a wallet that came from one level to another; a wallet that fills up is no news, its payment was. */
export function newsOf(before: WalletLevel, after: WalletLevel): readonly ('wallet.low_balance' | 'wallet.empty')[] {
  if (after === before) return [];
  if (after === 'empty') return before === 'ok' ? ['wallet.low_balance', 'wallet.empty'] : ['wallet.empty'];
  return after === 'low' && before === 'ok' ? ['wallet.low_balance'] : [];
}
