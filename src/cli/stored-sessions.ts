import path from 'node:path';
import { z } from 'zod';
import type { CliDeps } from './cli.ts';

/** A session that `login` opened. */
export interface StoredSession {
  readonly token: string;
  readonly expiresAt: string;
}

const fileShape = z.record(z.string(), z.object({ token: z.string(), expiresAt: z.string() }));

/** By the address of the service; a file that is not there, or that somebody spoiled, holds none. */
export function storedSession(deps: CliDeps, url: string): StoredSession | null {
  const session = readAll(deps)[url];
  return session !== undefined && Date.parse(session.expiresAt) > deps.now().getTime() ? session : null;
}

/** Null forgets it. */
export function storeSession(deps: CliDeps, url: string, session: StoredSession | null): void {
  const others = Object.entries(readAll(deps)).filter(([known]) => known !== url);
  const all = session === null ? others : [...others, [url, session] as const];
  deps.writeFile(fileOf(deps), `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}

/** Where programs of a person keep such things, by the custom of their system. */
export function fileOf({ env }: Pick<CliDeps, 'env'>): string {
  const folder = env['XDG_CONFIG_HOME'] ?? path.join(env['HOME'] ?? env['USERPROFILE'] ?? '.', '.config');
  return path.join(folder, 'hero-onboarding', 'sessions.json');
}

function readAll(deps: CliDeps): Record<string, StoredSession> {
  const text = deps.readFile(fileOf(deps));
  if (text === null) return {};
  try {
    return fileShape.catch({}).parse(JSON.parse(text));
  } catch {
    return {};
  }
}
