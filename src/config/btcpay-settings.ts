import { choice, httpUrl, instant, integer, secret, text } from './kinds.ts';
import { given, optional } from './setting.ts';

/** Of crypto: your BTCPay Server, and the rules by which its coins are credited. */
export const BTCPAY_SETTINGS = {
  btcpayUrl: optional({
    env: 'BTCPAY_URL',
    group: 'BTCPay Server',
    kind: httpUrl,
    prose: 'Your BTCPay Server, for example https://pay.example.org. Unset: no crypto outside sandbox mode.',
  }),
  btcpayApiKey: optional({
    env: 'BTCPAY_API_KEY',
    group: 'BTCPay Server',
    kind: secret,
    isSecret: true,
    prose: 'A Greenfield API key of that server, for the store below only; the runbook lists the permissions it needs.',
  }),
  btcpayStoreId: optional({
    env: 'BTCPAY_STORE_ID',
    group: 'BTCPay Server',
    kind: text(/^[A-Za-z0-9]{8,64}$/, 'must be the id of a store, letters and digits'),
    prose: 'The store whose wallet takes the coins.',
  }),
  btcpayWebhookSecret: optional({
    env: 'BTCPAY_WEBHOOK_SECRET',
    group: 'BTCPay Server',
    kind: secret,
    isSecret: true,
    prose: "The secret of the store's webhook. Unset or too short: the webhook answers 503 and accepts nothing.",
  }),
  btcpayWebhookSecretPrevious: optional({
    env: 'BTCPAY_WEBHOOK_SECRET_PREVIOUS',
    group: 'BTCPay Server',
    kind: secret,
    isSecret: true,
    prose: 'The webhook secret before the present one, accepted until the instant below.',
  }),
  btcpayWebhookSecretPreviousUntil: optional({
    env: 'BTCPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL',
    group: 'BTCPay Server',
    kind: instant,
    prose: 'When the previous webhook secret stops being accepted; must be set when it is.',
  }),
  btcpayConfirmations: given({
    env: 'BTCPAY_CONFIRMATIONS',
    group: 'BTCPay Server',
    kind: choice(['1', '2', '6']),
    default: '1',
    prose: 'Blocks that a payment on the chain needs before it is credited.',
  }),
  btcpayLateMinutes: given({
    env: 'BTCPAY_LATE_MINUTES',
    group: 'BTCPay Server',
    kind: integer({ min: 0, max: 1_440, unit: 'minutes' }),
    default: '60',
    prose:
      "How long after an invoice's end its rate still holds for coins that come late; after that an operator decides.",
  }),
} as const;
