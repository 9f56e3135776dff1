import { descendingHours, integer } from './kinds.ts';
import { given } from './setting.ts';

/** What happens when a wallet runs dry, and when. Part of `SETTINGS`. */
export const STANDING_SETTINGS = {
  warningHours: given({
    env: 'HERO_ONBOARDING_WARNING_HOURS',
    group: 'Wallets',
    kind: descendingHours,
    default: '72,24,4',
    prose:
      'How long before a wallet is empty, or cannot pay the next period of its plan, its owner is warned: once for each. Only the last does not wait for the end of quiet hours.',
  }),
  graceHours: given({
    env: 'HERO_ONBOARDING_GRACE_HOURS',
    group: 'Wallets',
    kind: integer({ min: 1, max: 2_160, unit: 'hours' }),
    default: '72',
    prose: 'From the notice that something is due and could not be paid until the VMs of the wallet are stopped.',
  }),
  suspendedDays: given({
    env: 'HERO_ONBOARDING_SUSPENDED_DAYS',
    group: 'Wallets',
    kind: integer({ min: 1, max: 365, unit: 'days' }),
    default: '14',
    prose: 'How long stopped VMs are kept for a wallet that does not pay. Then its plan ends and they are released.',
  }),
  rescueHours: given({
    env: 'HERO_ONBOARDING_RESCUE_HOURS',
    group: 'Wallets',
    kind: integer({ min: 1, max: 168, unit: 'hours' }),
    default: '24',
    prose:
      'How long the VMs of a suspended wallet run once more, without charge, when its owner asks for it to fetch what is on them.',
  }),
} as const;
