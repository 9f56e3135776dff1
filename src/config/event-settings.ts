import { networks, percent, secret, smtpUrl, text } from './kinds.ts';
import { optional } from './setting.ts';

/** What is told to others, and how: endpoints, receipts, mail. Part of `SETTINGS`. */
export const EVENT_SETTINGS = {
  encryptionKey: optional({
    env: 'HERO_ONBOARDING_ENCRYPTION_KEY',
    group: 'Events',
    kind: secret,
    isSecret: true,
    prose:
      'Seals the secrets that endpoints are signed with; the same for all processes on one database. Unset: no endpoints outside sandbox mode, which makes one itself.',
  }),
  encryptionKeyPrevious: optional({
    env: 'HERO_ONBOARDING_ENCRYPTION_KEY_PREVIOUS',
    group: 'Events',
    kind: secret,
    isSecret: true,
    prose:
      'The encryption key before the present one. While it is set, what it sealed is sealed anew; then it can be taken away.',
  }),
  endpointNetworks: optional({
    env: 'HERO_ONBOARDING_ENDPOINT_NETWORKS',
    group: 'Events',
    kind: networks,
    prose: 'Networks that are not public and that events may be sent to all the same. Unset: none.',
  }),
  businessName: optional({
    env: 'HERO_ONBOARDING_BUSINESS_NAME',
    group: 'Receipts',
    kind: text(/^[^\p{Cc}]{1,100}$/u, 'must be one line of at most 100 characters'),
    prose: 'Who issues receipts. Unset: the host of the public address.',
  }),
  businessAddress: optional({
    env: 'HERO_ONBOARDING_BUSINESS_ADDRESS',
    group: 'Receipts',
    kind: text(/^[^\p{Cc}]{1,300}$/u, 'must be one text of at most 300 characters, with | between its lines'),
    prose: 'The address on receipts, with | between its lines. Unset: none.',
  }),
  businessTaxNumber: optional({
    env: 'HERO_ONBOARDING_BUSINESS_TAX_NUMBER',
    group: 'Receipts',
    kind: text(/^[^\p{Cc}]{1,50}$/u, 'must be one line of at most 50 characters'),
    prose: 'The number under which the business pays tax, on receipts. Unset: none.',
  }),
  taxName: optional({
    env: 'HERO_ONBOARDING_TAX_NAME',
    group: 'Receipts',
    kind: text(/^[^\p{Cc}]{1,20}$/u, 'must be one line of at most 20 characters'),
    prose: 'What the tax is called that a top-up includes, for example VAT. Unset: receipts show no tax.',
  }),
  taxPercent: optional({
    env: 'HERO_ONBOARDING_TAX_PERCENT',
    group: 'Receipts',
    kind: percent,
    prose: 'How much that tax is; what users pay includes it. Set together with the name.',
  }),
  smtpUrl: optional({
    env: 'HERO_ONBOARDING_SMTP_URL',
    group: 'Mail',
    kind: smtpUrl,
    isSecret: true,
    prose:
      'The mail server, for example smtps://user:password@mail.example.org or smtp://mail.example.org:587. Unset: no mail is sent, operators see what would be.',
  }),
  mailFrom: optional({
    env: 'HERO_ONBOARDING_MAIL_FROM',
    group: 'Mail',
    kind: text(/^[^\s@<>,;:"]{1,64}@[A-Za-z0-9.-]{1,180}$/, 'must be an e-mail address'),
    prose: 'The address that mail comes from. Set together with the mail server.',
  }),
} as const;
