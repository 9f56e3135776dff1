import { createHash } from 'node:crypto';

/** A public key of SSH, as it may be kept. */
export interface SshKey {
  /** Type and base64, as OpenSSH writes them, without the comment. */
  readonly publicKey: string;
  /** As `ssh-keygen -l` shows it: `SHA256:…`. */
  readonly fingerprint: string;
  /** What stood behind the key; empty: nothing. */
  readonly comment: string;
}

/** Shorter ones are broken with money that is not out of reach. */
const RSA_BITS_MIN = 2_048;
/** OpenSSH takes none that is longer. */
const RSA_BITS_MAX = 16_384;

const CURVES: Readonly<Record<string, { readonly name: string; readonly pointBytes: number }>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', pointBytes: 65 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', pointBytes: 97 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', pointBytes: 133 },
};
const TYPES = ['ssh-ed25519', 'ssh-rsa', ...Object.keys(CURVES)];

/**
 * Reads one line of an `authorized_keys` file or a `.pub` file.
 *
 * Shape: the key, or a sentence on what is wrong, to follow "the key". What is signed with such a key is not looked at.
 */
export function parseSshKey(text: string): SshKey | { readonly problem: string } {
  const line = text.trim();
  if (/PRIVATE KEY/.test(line))
    return { problem: 'is a private key: never give it away, make a new pair, and send the file that ends in .pub' };
  if (/[\r\n]/.test(line)) return { problem: 'must be one line: send each key by itself' };
  const [type = '', encoded = '', ...comment] = line.split(/[ \t]+/);
  if (!TYPES.includes(type)) return { problem: ofOtherType(type) };
  const blob = Buffer.from(encoded, 'base64');
  if (encoded === '' || blob.toString('base64') !== encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '='))
    return { problem: 'is damaged: what follows its type is not base64' };
  const problem = problemOfBlob(type, blob);
  if (problem !== null) return { problem };
  return {
    publicKey: `${type} ${blob.toString('base64')}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    comment: comment.join(' '),
  };
}

function ofOtherType(type: string): string {
  if (type === 'ssh-dss') return 'is a DSA key, which no SSH server takes any more: make an ed25519 key';
  if (type.includes('-cert-')) return 'is a certificate: send the public key that it was made for';
  return `must begin with its type: ${TYPES.join(', ')}`;
}

const DAMAGED = 'is damaged: it ends too early, or there is more than belongs to it';

function problemOfBlob(type: string, blob: Buffer): string | null {
  const fields = fieldsOf(blob);
  if (fields === null) return DAMAGED;
  const [named, ...rest] = fields;
  if (named?.toString('latin1') !== type)
    return 'is damaged: it says that it is of another type than is written before it';
  const curve = CURVES[type];
  if (curve) return problemOfPoint(curve, rest);
  return type === 'ssh-rsa' ? problemOfRsa(rest) : problemOfEd25519(rest);
}

/** Each with its length in four bytes before it; null: the lengths do not add up. */
function fieldsOf(blob: Buffer): Buffer[] | null {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length;) {
    if (at + 4 > blob.length) return null;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return null;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function problemOfEd25519(fields: readonly Buffer[]): string | null {
  const [point, ...more] = fields;
  return point?.length === 32 && more.length === 0 ? null : DAMAGED;
}

function problemOfPoint(
  curve: { readonly name: string; readonly pointBytes: number },
  fields: readonly Buffer[],
): string | null {
  const [name, point, ...more] = fields;
  // 4: both coordinates are there, as OpenSSH writes them.
  const isPoint = point?.length === curve.pointBytes && point[0] === 4;
  return name?.toString('latin1') === curve.name && isPoint && more.length === 0 ? null : DAMAGED;
}

function problemOfRsa(fields: readonly Buffer[]): string | null {
  const [exponent, modulus, ...more] = fields;
  if (!exponent || !modulus || more.length > 0) return DAMAGED;
  const [e, n] = [bitsOf(exponent), bitsOf(modulus)];
  if (e === null || n === null || e < 2 || isEven(exponent) || isEven(modulus)) return DAMAGED;
  if (n < RSA_BITS_MIN) return `is an RSA key of ${n} bits: it takes at least ${RSA_BITS_MIN}, or make an ed25519 key`;
  return n > RSA_BITS_MAX ? `is an RSA key of ${n} bits: at most ${RSA_BITS_MAX} are taken` : null;
}

/** Of a number as SSH writes it; null: it is negative, or written longer than need be. */
function bitsOf(number: Buffer): number | null {
  const [first = 0, second = 0] = number;
  if (number.length === 0 || first > 127 || (first === 0 && second < 128)) return null;
  const leading = first === 0 ? second : first;
  return (number.length - (first === 0 ? 2 : 1)) * 8 + (32 - Math.clz32(leading));
}

const isEven = (number: Buffer): boolean => ((number.at(-1) ?? 0) & 1) === 0;
