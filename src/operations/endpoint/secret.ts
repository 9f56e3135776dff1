import { SECRET_BYTES, secretText } from '../../domain/event/signature.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { seal, SEAL_NONCE_BYTES, unseal } from '../../domain/seal.ts';
import type { EndpointRow } from '../../store/endpoint.ts';
import type { House } from '../house.ts';

const placeOf = (sid: string): string => `endpoint:${sid}`;

/** A new secret: told once as `text`, kept sealed. Refuses `unavailable` where no key was configured. */
export function newSecret(house: House, sid: string): { readonly text: string; readonly sealed: string } | Refusal {
  const { random } = house.ports;
  const text = secretText(random.bytes(SECRET_BYTES));
  const sealed = sealSecret(house, sid, text);
  return sealed === null ? refuse('unavailable', NO_KEY) : { text, sealed };
}

const NO_KEY =
  'Endpoints are not configured here: the operator sets HERO_ONBOARDING_ENCRYPTION_KEY, which seals their secrets.';

export function sealSecret({ ports, settings }: House, sid: string, text: string): string | null {
  const [key] = settings.encryptionKeys;
  return key === undefined ? null : seal(key, text, placeOf(sid), ports.random.bytes(SEAL_NONCE_BYTES));
}

/** Null when no key of the configuration opens it. */
export const openSecret = ({ settings }: House, sid: string, sealed: string): string | null =>
  unseal(settings.encryptionKeys, sealed, placeOf(sid));

/** The secrets a delivery is signed with at this moment, the present one first; null when it cannot be opened. */
export function secretsNow(
  house: House,
  sid: string,
  row: Pick<EndpointRow, 'secret' | 'previousSecret' | 'previousUntil'>,
  now: Date,
): readonly string[] | null {
  const secret = openSecret(house, sid, row.secret);
  if (secret === null) return null;
  const isOverlap = row.previousSecret !== null && row.previousUntil !== null && row.previousUntil > now;
  const previous = isOverlap && row.previousSecret !== null ? openSecret(house, sid, row.previousSecret) : null;
  return previous === null ? [secret] : [secret, previous];
}
