/** Prefixes of addresses and invoices of Bitcoin's test networks, and of the real one. */
const TEST = /^(tb1|bcrt1|[mn2]|lntb|lnbcrt|lntbs)/i;
const LIVE = /^(bc1|[13]|lnbc)/i;

/**
 * Whether a destination takes real coins; null when it does not tell. BTCPay Server has no test keys: one that runs on a test network
 * answers like any other, and would fill real wallets with coins that are worth nothing.
 */
export function isLiveDestination(
  currency: string | null | undefined,
  destination: string | null | undefined,
): boolean | null {
  if (currency !== 'BTC' || typeof destination !== 'string') return null;
  if (TEST.test(destination)) return false;
  return LIVE.test(destination) ? true : null;
}
