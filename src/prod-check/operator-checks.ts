import type { Values } from '../config/settings.ts';
import { error, must, warning, type Check, type Finding } from './check.ts';
import type { ConfigurationFacts } from './configuration-checks.ts';

const base = { needs: 'configuration', isForStart: true } as const;

/** Who comes in as an operator, and from where. */
export const OPERATOR_CHECKS: readonly Check<ConfigurationFacts>[] = [
  {
    ...base,
    id: 24,
    // A house whose admins were all granted by an admin runs; from outside the database nobody can tell.
    isForStart: false,
    title: 'somebody can come in as an admin',
    why: 'Without an admin nobody makes operators, closes an account or changes a price; and whom another admin has made one, a mistake can unmake.',
    remedy: 'Name one in HERO_ONBOARDING_OPERATORS (admin=issuer#subject), or set HERO_ONBOARDING_ADMIN_SECRET.',
    judge: ({ values }) =>
      must(
        (values.adminSecretUse === 'on' && values.adminSecret !== null) ||
          (values.operators ?? []).some(({ role }) => role === 'admin'),
        'Neither HERO_ONBOARDING_OPERATORS nor HERO_ONBOARDING_ADMIN_SECRET lets an admin in.',
      ),
  },
  {
    ...base,
    id: 26,
    title: 'the reverse proxies are named, and no strangers with them',
    why: 'Otherwise limits count all callers as one, or anybody writes into X-Forwarded-For where they come from.',
    remedy:
      'Set HERO_ONBOARDING_TRUSTED_PROXIES to the addresses of your proxies alone, for example 127.0.0.1 or 10.0.3.0/24.',
    judge: ({ values }) => judgeProxies(values),
  },
];

/** Nobody's proxies fill a wider network than this. */
const PROXIES_PREFIX_MIN = 8;

function judgeProxies({ publicUrl, trustedProxies }: Values): readonly Finding[] {
  if (trustedProxies?.some(({ prefix }) => prefix < PROXIES_PREFIX_MIN))
    return [error('HERO_ONBOARDING_TRUSTED_PROXIES has a network that strangers are in.')];
  // We speak plain http: whoever reaches us by https comes through a proxy.
  const hasProxy = publicUrl?.startsWith('https:') === true;
  return hasProxy && trustedProxies === null
    ? [warning('HERO_ONBOARDING_TRUSTED_PROXIES is not set: every caller seems to be the proxy.')]
    : [];
}
