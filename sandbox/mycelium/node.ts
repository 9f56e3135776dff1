import { createHash } from 'node:crypto';

/** A play node of the overlay: its name makes its key, its key makes its address. */
export interface PlayNode {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly publicKey: string;
  /** Eight groups, not shortened. */
  readonly address: string;
}

/**
 * The same name is the same node in every run with the same seed.
 *
 * A real node has an X25519 key, and its address is the BLAKE3 hash of it. Here both are SHA-256 of the name: what depends on the
 * address being derived from the key can be tried, what depends on how cannot.
 */
export function playNode(name: string, seed: string): PlayNode {
  const publicKey = createHash('sha256').update(`mycelium key ${seed} ${name}`).digest();
  const bytes = createHash('sha256').update(publicKey).digest().subarray(0, 16);
  // As the network does: everything is within 400::/7, and the last bit of the first byte is the parity of the hash's.
  const ones = (bytes[0] ?? 0).toString(2).replaceAll('0', '').length;
  bytes[0] = 0x04 | (ones % 2);
  return { name, publicKey: publicKey.toString('hex'), address: groupsOf(bytes) };
}

const groupsOf = (bytes: Uint8Array): string =>
  Array.from({ length: 8 }, (_, group) =>
    (((bytes[2 * group] ?? 0) << 8) | (bytes[2 * group + 1] ?? 0)).toString(16),
  ).join(':');

export const subnetOf = ({ address }: PlayNode): string => `${address.split(':').slice(0, 4).join(':')}::/64`;

/** Eight groups in lower case, whatever the spelling; null: no IPv6 address. */
export function eightGroups(text: string): string | null {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(':') || !URL.canParse(`http://[${text}]`)) return null;
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail ?? ''].map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const zeros = tail === undefined ? [] : Array.from({ length: missing }, () => '0');
  return [...(before ?? []), ...zeros, ...(after ?? [])].join(':');
}

/** Whether an address, as eight groups, is of the node: the first half of its own. */
export const isOf = (node: PlayNode, groups: string): boolean =>
  node.address.split(':').slice(0, 4).join(':') === groups.split(':').slice(0, 4).join(':');

/** As the daemon writes an address. */
export const shortened = (groups: string): string => new URL(`http://[${groups}]`).hostname.slice(1, -1);
