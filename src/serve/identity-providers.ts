import type { Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import type { IdentityProvider, IdentityProviderName } from '../providers/identity-provider.ts';
import { oidcProvider } from '../providers/oidc/index.ts';
import type { ForgeSimulator } from './simulators.ts';

/**
 * `read:user` is there to take rights away: a Forge gives a token of openid, profile and email alone everything its owner may do.
 * A Forge keeps to the scope of the first grant, so this is not to be changed lightly.
 */
const FORGE_SCOPE = 'openid profile email read:user';

/** Who the configuration lets people sign in through. */
export function identityProvidersOf(
  config: Config,
  ports: Ports,
  simulator: ForgeSimulator | null,
): ReadonlyMap<IdentityProviderName, IdentityProvider> {
  const providers = [forgeOf(config, ports, simulator), oidcOf(config, ports)].filter((provider) => provider !== null);
  return new Map(providers.map((provider) => [provider.name, provider]));
}

function forgeOf(config: Config, ports: Ports, simulator: ForgeSimulator | null): IdentityProvider | null {
  const options = {
    name: 'forge',
    scope: config.forgeRoles === null ? FORGE_SCOPE : `${FORGE_SCOPE} groups`,
    secretBy: 'body',
    tellsWhenProven: false,
    roleClaim: config.forgeRoles === null ? null : 'groups',
    ports,
  } as const;
  if (simulator !== null) {
    const { url: issuer, clientId, clientSecret } = simulator;
    const identityIssuer = 'https://forge.sandbox.invalid';
    return oidcProvider({ ...options, title: 'Forge (simulated)', issuer, clientId, clientSecret, identityIssuer });
  }
  const { forgeUrl: issuer, forgeClientId: clientId, forgeClientSecret: clientSecret } = config;
  if (issuer === null || clientId === null || clientSecret === null) return null;
  return oidcProvider({ ...options, title: 'Forge', issuer, clientId, clientSecret });
}

function oidcOf(config: Config, ports: Ports): IdentityProvider | null {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret } = config;
  if (issuer === null || clientId === null || clientSecret === null) return null;
  return oidcProvider({
    name: 'oidc',
    title: config.oidcName,
    issuer,
    clientId,
    clientSecret,
    scope: config.oidcScope,
    secretBy: 'discovered',
    tellsWhenProven: true,
    roleClaim: config.oidcRoles === null ? null : config.oidcRoleClaim,
    ports,
  });
}
