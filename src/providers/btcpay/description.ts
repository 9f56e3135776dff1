import type { ProviderDescription } from '../provider.ts';

export const DESCRIPTION: ProviderDescription = {
  title: 'Crypto',
  settings: ['BTCPAY_URL', 'BTCPAY_API_KEY', 'BTCPAY_STORE_ID', 'BTCPAY_WEBHOOK_SECRET'],
  can: { refund: 'claim', severalPayments: true, disputes: false, savedCards: false },
  cannot: [
    'It cannot give coins back to where they came from: the customer claims a refund and names an address within 30 days.',
    'It does not tell what the network took for a refund; that fee is paid by the wallet of the store.',
    'It does not tell of coins that reach an invoice more than three days after its end.',
    'It does not tell when a confirmed payment is undone; the reconciliation finds that.',
    'It does not tell of coins that are taken out of the wallet of the store: they stay in the clearing account until you adjust it.',
    'There are no disputes and no saved cards.',
  ],
};
