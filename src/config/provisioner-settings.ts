import { choice, httpUrl, secret } from './kinds.ts';
import { given, optional } from './setting.ts';

/** Who gives VMs, and a back end of yours where they do not come from the pool. */
export const PROVISIONER_SETTINGS = {
  provisioner: given({
    env: 'HERO_ONBOARDING_PROVISIONER',
    group: 'VMs',
    kind: choice(['pool', 'http']),
    default: 'pool',
    prose:
      'Who gives new VMs: the pool of machines that operators fill, or a back end over HTTP. Those that are there stay where they are.',
  }),
  provisionerUrl: optional({
    env: 'HERO_ONBOARDING_PROVISIONER_URL',
    group: 'VMs',
    kind: httpUrl,
    prose: 'Where a back end of yours answers the calls of docs/recipes/provisioner.md; `/v1/vms` is added to it.',
  }),
  provisionerToken: optional({
    env: 'HERO_ONBOARDING_PROVISIONER_TOKEN',
    group: 'VMs',
    kind: secret,
    isSecret: true,
    prose: 'What it is shown with each call, as a bearer token.',
  }),
} as const;
