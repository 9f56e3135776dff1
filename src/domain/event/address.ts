/** An IP address as a number, with how many bits it has. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A range of addresses: `10.1.0.0/16`. */
export interface Network extends Address {
  readonly prefix: number;
  /** As it was given. */
  readonly text: string;
}

/** Reads an address as resolvers and sockets write it; null for anything else, names and zones included. */
export function parseAddress(text: string): Address | null {
  const v4 = parseV4(text);
  if (v4 !== null) return { bits: 32, value: v4 };
  const v6 = parseV6(text);
  return v6 === null ? null : { bits: 128, value: v6 };
}

/** Reads `10.1.0.0/16`, or one address. */
export function parseNetwork(text: string): Network | null {
  const [head = '', size, ...rest] = text.split('/');
  const address = parseAddress(head);
  if (address === null || rest.length > 0) return null;
  if (size === undefined) return { ...address, prefix: address.bits, text };
  const prefix = /^\d{1,3}$/.test(size) ? Number(size) : -1;
  return prefix < 0 || prefix > address.bits ? null : { ...address, prefix, text };
}

/** Four decimal numbers: what else some systems take for an address (octal, one number) is none here. */
function parseV4(text: string): bigint | null {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return null;
  const octets = text.split('.').map(Number);
  return octets.some((octet) => octet > 255) ? null : octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

function parseV6(text: string): bigint | null {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted === null ? null : parseV4(dotted[2] ?? '');
  if (dotted !== null && tail === null) return null;
  const hex =
    tail === null ? text : `${dotted?.[1] ?? ''}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const halves = hex.split('::');
  if (halves.length > 2) return null;
  const [head = [], end = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - end.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...end];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

export function isWithin(address: Address, network: Network): boolean {
  const rest = BigInt(network.bits - network.prefix);
  return address.bits === network.bits && address.value >> rest === network.value >> rest;
}

const networks = (...texts: readonly string[]): readonly Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);

const LOOPBACK = networks('127.0.0.0/8', '::1');

/** Not of the public internet: IANA's special-purpose registry of IPv4. */
const SPECIAL_V4 = networks(
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Link-local; also where clouds answer with the machine's own credentials.
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  // Multicast, reserved, broadcast.
  '224.0.0.0/3',
);

/** Of IPv6 only this is given out to the public internet, and of that not the ranges with a meaning of their own. */
const PUBLIC_V6 = networks('2000::/3');
const SPECIAL_V6 = networks('2001::/23', '2001:db8::/32', '3fff::/20');

/** Where an IPv4 address stands in an IPv6 one: the bits below it. The address inside decides. */
const CARRIERS: readonly (readonly [network: Network, below: bigint])[] = [
  ...networks('::ffff:0:0/96', '64:ff9b::/96').map((network) => [network, 0n] as const),
  ...networks('2002::/16').map((network) => [network, 80n] as const),
];

/** Whether an address is one of the public internet. */
export function isPublic(address: Address): boolean {
  if (address.bits === 32) return !SPECIAL_V4.some((network) => isWithin(address, network));
  const carrier = CARRIERS.find(([network]) => isWithin(address, network));
  if (carrier) return isPublic({ bits: 32, value: (address.value >> carrier[1]) & 0xffff_ffffn });
  const isGiven = PUBLIC_V6.some((network) => isWithin(address, network));
  return isGiven && !SPECIAL_V6.some((network) => isWithin(address, network));
}

export interface ReachRules {
  /** Whether this machine itself may be reached: for trying things out. */
  readonly mayLoopBack: boolean;
  /** Networks that may be reached although they are not public. */
  readonly allowed: readonly Network[];
}

/** Whether we connect to an address on somebody's word. What cannot be read is not connected to. */
export function mayReach(text: string, { mayLoopBack, allowed }: ReachRules): boolean {
  const address = parseAddress(text);
  if (address === null) return false;
  if (allowed.some((network) => isWithin(address, network))) return true;
  if (mayLoopBack && LOOPBACK.some((network) => isWithin(address, network))) return true;
  return isPublic(address);
}
