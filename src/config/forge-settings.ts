import { claimedRoles, httpUrl, secret, text } from './kinds.ts';
import { given, optional } from './setting.ts';

/** A Forge: usage that comes through it, and people who sign in through it. Part of `SETTINGS`. */
export const FORGE_SETTINGS = {
  forgeUrl: optional({
    env: 'FORGE_URL',
    group: 'Forge',
    kind: httpUrl,
    prose:
      'A Forgejo or Gitea, for example https://git.example.org: its ROOT_URL, letter by letter. Unset in sandbox mode: a simulated one is started.',
  }),
  forgeUsageRepository: optional({
    env: 'FORGE_USAGE_REPOSITORY',
    group: 'Forge',
    kind: text(/^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'must be owner/name'),
    prose:
      'The repository through which usage comes from nodes that cannot reach the service. Unset: it is neither pushed to nor read.',
  }),
  forgeUsageBranch: given({
    env: 'FORGE_USAGE_BRANCH',
    group: 'Forge',
    kind: text(/^(?!.*(\.\.|\/\/|\.lock$|\/$))[A-Za-z0-9_][A-Za-z0-9._/-]{0,99}$/, 'must be the name of a branch'),
    default: 'main',
    prose: 'The branch of that repository.',
  }),
  forgeUsageToken: optional({
    env: 'FORGE_USAGE_TOKEN',
    group: 'Forge',
    kind: secret,
    isSecret: true,
    prose: 'A token for that repository: on a node with write:repository, on the service read:repository is enough.',
  }),
  forgeClientId: optional({
    env: 'FORGE_CLIENT_ID',
    group: 'Forge',
    kind: text(/^[\x21-\x7e]{1,200}$/, 'must be the client id of an OAuth2 application'),
    prose:
      "The OAuth2 application at the Forge by which people sign in. Unset: nobody does; in sandbox mode the simulated Forge's.",
  }),
  forgeClientSecret: optional({
    env: 'FORGE_CLIENT_SECRET',
    group: 'Forge',
    kind: secret,
    isSecret: true,
    prose: 'The secret of that application.',
  }),
  forgeRoles: optional({
    env: 'FORGE_ROLES',
    group: 'Forge',
    kind: claimedRoles,
    prose:
      'Which groups of the Forge make somebody an operator: role=group, with commas between; a group is an organisation or organisation:team. Unset: none.',
  }),
} as const;
