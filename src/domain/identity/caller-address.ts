import { isWithin, parseAddress, type Address, type Network } from '../event/address.ts';

/**
 * Where a request comes from: the peer, or, when that is one of our proxies, whom it says it speaks for. Read from the right, as each proxy
 * adds the one before it: what stands left of the first address that is no proxy of ours was written by strangers.
 */
export function callerAddress(peer: string, forwardedFor: string | null, proxies: readonly Network[]): string {
  let known = peer;
  for (const hop of (forwardedFor ?? '').split(',').toReversed()) {
    if (!isOneOf(known, proxies)) return known;
    const said = withoutPort(hop.trim());
    if (plainAddress(said) === null) return known;
    known = said;
  }
  return known;
}

/** What limits count by: an IPv4 address, and of IPv6 the /64, of which a single machine has every address. */
export function limitKey(address: string): string {
  const plain = plainAddress(address);
  if (plain === null || plain.bits === 32) return plain === null ? address : `v4:${plain.value}`;
  return `v6:${(plain.value >> 64n).toString(16)}`;
}

function isOneOf(address: string, networks: readonly Network[]): boolean {
  const plain = plainAddress(address);
  return plain !== null && networks.some((network) => isWithin(plain, network));
}

const MAPPED_V4 = 0xffffn;

/** A socket that listens for both writes IPv4 as `::ffff:192.0.2.1`. */
function plainAddress(text: string): Address | null {
  const address = parseAddress(text);
  if (address === null || address.bits === 32 || address.value >> 32n !== MAPPED_V4) return address;
  return { bits: 32, value: address.value & 0xffff_ffffn };
}

/** Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
const withoutPort = (hop: string): string =>
  /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(hop)?.[1] ?? hop;
