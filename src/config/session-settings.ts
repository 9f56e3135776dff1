import { amount, choice, integer, operatorList, secret } from './kinds.ts';
import { given, optional } from './setting.ts';

/** Who may act as an operator by a secret or by name, and how long a sign-in lasts. Part of `SETTINGS`. */
export const SESSION_SETTINGS = {
  adminSecret: optional({
    env: 'HERO_ONBOARDING_ADMIN_SECRET',
    group: 'Operators and sessions',
    kind: secret,
    isSecret: true,
    prose:
      'What operators send as X-Hero-Onboarding-Admin-Secret. Unset: nobody is an operator; sandbox mode makes one and keeps it in the data folder.',
  }),
  adminSecretPrevious: optional({
    env: 'HERO_ONBOARDING_ADMIN_SECRET_PREVIOUS',
    group: 'Operators and sessions',
    kind: secret,
    isSecret: true,
    prose:
      'The operator secret before the present one; both are accepted while it is set, so that scripts can change over.',
  }),
  adminSecretUse: given({
    env: 'HERO_ONBOARDING_ADMIN_SECRET_USE',
    group: 'Operators and sessions',
    kind: choice(['on', 'off']),
    default: 'on',
    prose:
      'Whether the operator secret is taken. off: operators come in with an identity of their own, and with nothing else.',
  }),
  sessionKey: optional({
    env: 'HERO_ONBOARDING_SESSION_KEY',
    group: 'Operators and sessions',
    kind: secret,
    isSecret: true,
    prose:
      'Signs page cursors and leases, and seals sign-ins under way; the same for all processes on one database. Needed outside sandbox mode, which makes one itself.',
  }),
  sessionHours: given({
    env: 'HERO_ONBOARDING_SESSION_HOURS',
    group: 'Operators and sessions',
    kind: integer({ min: 1, max: 168, unit: 'hours' }),
    default: '12',
    prose: 'How long a sign-in lasts.',
  }),
  sessionIdleMinutes: given({
    env: 'HERO_ONBOARDING_SESSION_IDLE_MINUTES',
    group: 'Operators and sessions',
    kind: integer({ min: 1, max: 10_080, unit: 'minutes' }),
    default: '30',
    prose: 'How long a sign-in lasts that nobody uses.',
  }),
  operators: optional({
    env: 'HERO_ONBOARDING_OPERATORS',
    group: 'Operators and sessions',
    kind: operatorList,
    prose:
      'Who is an operator, by identity: role=issuer#subject, with commas between; roles are support, auditor, finance and admin. Unset: whom an admin made one.',
  }),
  financeDailyLimit: optional({
    env: 'HERO_ONBOARDING_FINANCE_DAILY_LIMIT',
    group: 'Operators and sessions',
    kind: amount,
    prose:
      'What an operator with the role finance may move in a day (UTC), whichever way. Unset: no limit; admins have none.',
  }),
} as const;
