import { must, type Check } from './check.ts';
import type { ConfigurationFacts } from './configuration-checks.ts';
import { isPrivate } from './private-address.ts';
import { isExample, isStrong } from './secret-strength.ts';

/** Of a back end that gives VMs. */
export const VM_CHECKS: readonly Check<ConfigurationFacts>[] = [
  {
    needs: 'configuration',
    isForStart: true,
    id: 50,
    title: 'the back end for VMs is reached privately, with a strong token',
    why: 'Whoever reads the token on the way, or guesses it, can take VMs away from those who pay for them.',
    remedy:
      'Set HERO_ONBOARDING_PROVISIONER_URL to an https address; on the same machine http://127.0.0.1 will do. Make the token with "openssl rand -base64 32".',
    judge: ({ values: { provisioner, provisionerUrl, provisionerToken: token } }) => [
      ...must(provisioner === 'pool' || provisionerUrl !== null, 'HERO_ONBOARDING_PROVISIONER_URL is not set.'),
      ...must(isPrivate(provisionerUrl), 'HERO_ONBOARDING_PROVISIONER_URL is not https.'),
      ...must(
        token === null || (isStrong(token) && !isExample(token)),
        'HERO_ONBOARDING_PROVISIONER_TOKEN holds less than 32 random bytes, or a known example.',
      ),
    ],
  },
];
