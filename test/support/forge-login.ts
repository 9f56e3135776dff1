import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startForgeSandbox, type RunningForge } from '../../sandbox/forge/server.ts';
import type { Ports } from '../../src/ports/ports.ts';
import type { IdentityProvider } from '../../src/providers/identity-provider.ts';
import { oidcProvider } from '../../src/providers/oidc/index.ts';
import { systemClock } from '../../src/ports/system.ts';
import { FORGE_TOKEN } from './forge.ts';
import { seededRandom } from './ports.ts';

export const FORGE_SCOPE = 'openid profile email read:user';
const CLIENT = { clientId: 'b2e1f6a0-app', clientSecret: 'gto_not-a-real_secret.1' };

/** A simulated Forge that people sign in to. */
export interface LoginForge {
  readonly running: RunningForge;
  /** Our side of it. `name` 'oidc': as a provider that is not a Forge. */
  provider(ports: Ports, name?: 'forge' | 'oidc'): IdentityProvider;
  /** Whose clock it tells the time by; by default the system's. */
  useClock(clock: Pick<Ports['clock'], 'now'>): void;
  /** A person at the pages: signs in, agrees, and is sent back to the address that this answers. */
  agree(location: string, login?: string): Promise<string>;
  /** The same, and does not agree. */
  deny(location: string, login?: string): Promise<string>;
  close(): Promise<void>;
}

export async function loginForge(publicUrl: string): Promise<LoginForge> {
  const folder = mkdtempSync(path.join(tmpdir(), 'forge-login-'));
  let clock: Pick<Ports['clock'], 'now'> = systemClock;
  const redirectUris = ['forge', 'oidc'].map((name) => `${publicUrl}/login/${name}/callback`);
  const running = await startForgeSandbox({
    folder,
    repository: 'org/usage',
    token: FORGE_TOKEN,
    now: () => clock.now(),
    login: { ...CLIENT, redirectUris, random: seededRandom(7) },
  });
  const answer = async (location: string, login: string, consent: 'yes' | 'no'): Promise<string> => {
    const person = [...(running.login?.state.people.values() ?? [])].find((one) => one.login === login);
    if (person === undefined) throw new Error(`nobody is called ${login}`);
    const body = new URLSearchParams({ person: String(person.id), consent });
    const response = await fetch(location, { method: 'POST', body, redirect: 'manual' });
    const next = response.headers.get('location');
    if (next === null) throw new Error(`the Forge answered ${response.status}: ${await response.text()}`);
    return next;
  };
  return {
    running,
    useClock: (other) => {
      clock = other;
    },
    provider: (ports, name = 'forge') =>
      oidcProvider({
        ...CLIENT,
        name,
        title: name === 'forge' ? 'Forge' : 'Example',
        issuer: running.url,
        scope: FORGE_SCOPE,
        secretBy: name === 'forge' ? 'body' : 'discovered',
        tellsWhenProven: false,
        roleClaim: null,
        ports,
      }),
    agree: (location, login = 'ada') => answer(location, login, 'yes'),
    deny: (location, login = 'ada') => answer(location, login, 'no'),
    close: async () => {
      await running.close();
      rmSync(folder, { recursive: true });
    },
  };
}
