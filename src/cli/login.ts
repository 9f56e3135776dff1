import { z } from 'zod';
import { ProblemError } from '../../client/problem.ts';
import { codeInMessage } from '../domain/challenge/message.ts';
import type { CliDeps } from './cli.ts';
import { trimmed } from './credentials.ts';
import { storeSession, storedSession } from './stored-sessions.ts';

export interface LoginOptions {
  readonly url: string;
  /** Absent: the daemon is asked for its own. */
  readonly address?: string;
  /** Of the daemon on this machine. Absent: the code is asked for. */
  readonly myceliumApi?: string;
}

const challengeShape = z.object({
  challenge: z.string(),
  address: z.string(),
  secret: z.string(),
  expires_at: z.string(),
});
const signedInShape = z.object({ token: z.string(), expires_at: z.string() });
const sessionShape = z.object({
  role: z.string(),
  user: z.object({ sid: z.string(), display_name: z.string(), wallet_sid: z.string().nullable() }).nullable(),
});
const infoShape = z.object({ nodeIp: z.string() });
const messageShape = z.object({ payload: z.base64() });

/**
 * Signs in as a node of the overlay: asks the service for a code, reads it out of the daemon's inbox or asks for it, and keeps the session.
 *
 * Throws ProblemError.
 */
export async function login(deps: CliDeps, options: LoginOptions): Promise<void> {
  const url = trimmed(options.url);
  const daemon = options.myceliumApi === undefined ? null : trimmed(options.myceliumApi);
  const address = options.address ?? (await ownAddress(deps, daemon));
  const asked = { address, headless: true };
  const challenge = challengeShape.parse(await call(deps, { url: `${url}/login/challenge`, body: asked }));
  deps.err(`A code was sent to ${challenge.address}.\n`);
  const code = daemon === null ? await askForCode(deps) : await codeFrom(deps, daemon, challenge.challenge);
  const proof = { challenge: challenge.challenge, secret: challenge.secret, code };
  const { token, expires_at: expiresAt } = signedInShape.parse(
    await call(deps, { url: `${url}/login/verify`, body: proof }),
  );
  storeSession(deps, url, { token, expiresAt });
  const { role, user } = sessionShape.parse(await call(deps, { url: `${url}/v1/session`, token }));
  deps.out(`Signed in as ${user?.display_name ?? 'nobody'} (${role} ${user?.sid ?? ''}), until ${expiresAt}.\n`);
}

/** Ends the session that `login` keeps for this service, there and here. */
export async function logout(deps: CliDeps, options: Pick<LoginOptions, 'url'>): Promise<void> {
  const url = trimmed(options.url);
  const session = storedSession(deps, url);
  if (session === null) {
    deps.out(`Nobody is signed in at ${url}.\n`);
    return;
  }
  storeSession(deps, url, null);
  await call(deps, { url: `${url}/logout`, body: {}, token: session.token });
  deps.out('Signed out.\n');
}

async function ownAddress(deps: CliDeps, daemon: string | null): Promise<string> {
  if (daemon === null)
    throw problem(
      'no_address',
      'Say which node you are: --address, or --mycelium-api to ask the daemon on this machine.',
    );
  return infoShape.parse(await call(deps, { url: `${daemon}/api/v1/admin` })).nodeIp;
}

async function askForCode(deps: CliDeps): Promise<string> {
  const code = await deps.ask('Code, from the message to your node with the topic "login": ');
  if (code === null)
    throw problem(
      'no_code',
      'There is nobody to ask for the code: give --mycelium-api, to read it from the daemon on this machine.',
    );
  return code;
}

const TOPIC = Buffer.from('login').toString('base64');
/** Between looks into the inbox, and how many: while a daemon waits for a message it answers nobody else, so it is not told to wait. */
const LOOK_MS = 500;
const LOOKS_MAX = 120;

/** A daemon gives a message once: what is for others is shown, so that it is not lost. */
async function codeFrom(deps: CliDeps, daemon: string, challengeSid: string): Promise<string> {
  const query = new URLSearchParams({ peek: 'false', timeout: '0', topic: TOPIC });
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const taken = await call(deps, { url: `${daemon}/api/v1/messages?${query.toString()}` });
    if (taken === null) {
      await deps.sleep(LOOK_MS);
      continue;
    }
    const text = Buffer.from(messageShape.parse(taken).payload, 'base64').toString('utf8');
    const code = codeInMessage(text, challengeSid);
    if (code !== null) return code;
    deps.err(`Another message with this topic was in the inbox:\n${text.replaceAll(/[^\P{Cc}\n]/gu, ' ')}\n`);
  }
  throw problem('no_message', 'The code did not arrive within a minute. Is the daemon the one of this address?');
}

interface Call {
  readonly url: string;
  /** Absent: GET. */
  readonly body?: object;
  readonly token?: string;
}

/** Null for an answer without a body. */
async function call(deps: CliDeps, { url, body, token }: Call): Promise<unknown> {
  const answer = await reach(deps, {
    url,
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  });
  const text = await answer.text();
  const said: unknown = text === '' ? null : jsonOf(text);
  if (!answer.ok) throw new ProblemError(answer.status, said, null);
  if (said === undefined) throw problem('not_understood', `What answers at ${new URL(url).origin} is something else.`);
  return said;
}

async function reach(deps: CliDeps, { url, body, token }: Call): Promise<Response> {
  try {
    return await deps.fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
    });
  } catch {
    throw problem('unreachable', `Nothing answers at ${url}.`);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const problem = (code: string, detail: string): ProblemError => new ProblemError(0, { code, detail }, null);
