import { createHash } from 'node:crypto';
import { z } from 'zod';
import { seal, SEAL_NONCE_BYTES, unseal } from '../../domain/seal.ts';
import { IDENTITY_PROVIDERS } from '../../providers/identity-provider.ts';
import type { House } from '../house.ts';

/** From the start to the answer. */
export const ATTEMPT_MS = 5 * 60_000;
/** Tabs in which one browser may sign in at once; the oldest makes room. */
const ATTEMPTS_MAX = 3;
const PLACE = 'sign-in attempts';

const purposeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sign_in') }),
  z.strictObject({ kind: z.enum(['link', 'prove']), userSid: z.string(), sessionSid: z.string() }),
]);

const attemptSchema = z.strictObject({
  provider: z.enum(IDENTITY_PROVIDERS),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  startedMs: z.int(),
  returnPath: z.string(),
  purpose: purposeSchema,
});

/** One way to a provider and back. It lies with the browser that began it, sealed: no other browser's answer fits, and nobody can read it. */
export type Attempt = z.output<typeof attemptSchema>;

export type AttemptPurpose = Attempt['purpose'];

/** Three secrets of this attempt alone. */
export function newAttempt({ ports }: House, asked: Pick<Attempt, 'provider' | 'returnPath' | 'purpose'>): Attempt {
  const secret = (): string => Buffer.from(ports.random.bytes(32)).toString('base64url');
  return { ...asked, state: secret(), nonce: secret(), verifier: secret(), startedMs: ports.clock.now().getTime() };
}

/** For the browser to keep; null: nothing. Of several the latest. */
export function sealAttempts({ ports, settings }: House, attempts: readonly Attempt[]): string | null {
  if (attempts.length === 0) return null;
  const nonce = ports.random.bytes(SEAL_NONCE_BYTES);
  return seal(settings.sessionKey, JSON.stringify(attempts.slice(-ATTEMPTS_MAX)), PLACE, nonce);
}

/** What a browser has kept, oldest first; nothing when it is not ours, or was changed. */
export function openAttempts({ settings }: House, kept: string | null): Attempt[] {
  const text = kept === null ? null : unseal([settings.sessionKey], kept, PLACE);
  return text === null ? [] : z.array(attemptSchema).parse(JSON.parse(text));
}

export const isOver = (house: House, { startedMs }: Attempt): boolean =>
  house.ports.clock.now().getTime() - startedMs > ATTEMPT_MS;

export const hashOfState = (state: string): Uint8Array => createHash('sha256').update(state).digest();
