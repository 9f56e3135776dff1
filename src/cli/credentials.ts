import type { ClientOptions } from '../../client/client.ts';
import { ProblemError } from '../../client/problem.ts';
import type { Operation } from '../operations/operation.ts';
import type { CliDeps, GlobalOptions } from './cli.ts';
import { storedSession, storeSession } from './stored-sessions.ts';

/**
 * How the command line shows who it is: a token or a key, the admin secret from a file or the environment, the session that `login`
 * keeps; and with none of them as an operator of a sandbox, where anybody may be one. Throws ProblemError when the file is not there.
 */
export async function signIn(
  deps: CliDeps,
  operation: Operation,
  options: GlobalOptions,
): Promise<Pick<ClientOptions, 'token' | 'adminSecret'>> {
  if (options.token !== undefined) return { token: options.token };
  if (options.tokenFile !== undefined) return { token: secretIn(deps, options.tokenFile) };
  if (options.adminSecretFile !== undefined) return { adminSecret: secretIn(deps, options.adminSecretFile) };
  const adminSecret = deps.env['HERO_ONBOARDING_ADMIN_SECRET'];
  if (adminSecret !== undefined && adminSecret !== '') return { adminSecret };
  const kept = storedSession(deps, trimmed(options.url));
  if (kept !== null) return { token: kept.token };
  if (operation.access === 'anyone') return {};
  const token = await sandboxToken(deps, trimmed(options.url));
  return token === null ? {} : { token };
}

/** A session that is over is of no more use; says so if it was the one that `login` kept. */
export function forgetKept(deps: CliDeps, options: GlobalOptions, used: { readonly token?: string | undefined }): void {
  const url = trimmed(options.url);
  if (used.token === undefined || storedSession(deps, url)?.token !== used.token) return;
  storeSession(deps, url, null);
  deps.err('The session that login kept is over: sign in again.\n');
}

function secretIn(deps: CliDeps, path: string): string {
  const text = deps.readFile(path);
  if (text === null) throw new ProblemError(0, { code: 'no_such_file', detail: `There is no file ${path}.` }, null);
  return text.trim();
}

/** Paths begin with a slash, so the address must not end with one. */
export const trimmed = (url: string): string => url.replace(/\/+$/, '');

/** Null when the service is not a sandbox: then the call goes out without a credential and is told so. */
async function sandboxToken(deps: CliDeps, url: string): Promise<string | null> {
  try {
    const answer = await deps.fetch(`${url}/login/sandbox`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Command line', role: 'operator' }),
    });
    const session: unknown = answer.ok ? await answer.json() : null;
    return typeof session === 'object' && session !== null && 'token' in session ? String(session.token) : null;
  } catch {
    return null;
  }
}
