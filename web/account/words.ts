import type { Identity } from '../surface.ts';

const KINDS: Readonly<Record<Identity['kind'], string>> = {
  forge: 'Forge',
  oidc: 'Sign-in provider',
  mycelium: 'Mycelium node',
  sandbox: 'Sandbox name',
};

export const kindOf = (identity: Identity): string => KINDS[identity.kind];

/** Who vouches, where that says more than the kind: the name of a provider's host. */
export function issuerOf({ issuer }: Identity): string | null {
  return URL.canParse(issuer) ? new URL(issuer).host : null;
}

const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
  ['curl/', 'curl'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'Mac'],
  ['Linux', 'Linux'],
] as const;

/** "Firefox on Linux", of what a browser calls itself. The first that fits counts: the others claim to be one another. */
export function agentName(agent: string | null): string {
  if (agent === null || agent === '') return 'Unknown program';
  const browser = BROWSERS.find(([mark]) => agent.includes(mark))?.[1];
  const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1];
  if (browser === undefined) return agent.slice(0, 60);
  return system === undefined ? browser : `${browser} on ${system}`;
}
