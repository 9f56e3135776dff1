import { isWithin, parseAddress, parseNetwork, type Network } from '../event/address.ts';
import { assert } from '../assert.ts';

/** An address of the overlay network, read and normalised. */
export interface OverlayAddress {
  /** The one spelling: lower case, no leading zeros, the longest run of zeros as `::` (RFC 5952). */
  readonly text: string;
  /** The node that it belongs to, as its network: `54f:b680:ba6e:7ced::/64`. All addresses in it are that one node's. */
  readonly node: string;
}

/** Why a text is no such address, as a sentence for whoever gave it. */
export interface NoOverlayAddress {
  readonly problem: string;
}

/**
 * Reads an address in any of its spellings. Brackets and spaces around it are taken off; nothing else is guessed: a zone, a port, a
 * prefix or an IPv4 address in IPv6 clothes is refused, because it does not name a node of the overlay.
 *
 * Source: RFC 4291 section 2.2, RFC 5952; the overlay has 400::/7, and each node a /64 of it.
 */
export function readOverlayAddress(given: string): OverlayAddress | NoOverlayAddress {
  const text = given.trim().replace(/^\[(.*)\]$/, '$1');
  if (/^[0-9a-fA-F]{64}$/.test(text)) return no('That is a public key. Give the address of the node instead.');
  if (text.includes('%')) return no('Leave the zone out: the part from the percent sign on.');
  if (/^[^/]+\/\d+$/.test(text)) return no('That is a network. Give one address, without the slash and what follows.');
  const address = parseAddress(text);
  if (address === null) return no('That is not an IPv6 address.');
  if (address.bits === 32 || text.includes('.'))
    return no('That is an IPv4 address. The overlay network has IPv6 only.');
  if (!isWithin(address, OVERLAY)) {
    return no(
      'That address is not in the overlay network: its addresses begin with three digits, the first of them a 4 or a 5.',
    );
  }
  const groups = groupsOf(address.value);
  return { text: shorten(groups), node: `${shorten([...groups.slice(0, 4), 0, 0, 0, 0])}/64` };
}

const no = (problem: string): NoOverlayAddress => ({ problem });

const OVERLAY = network('400::/7');

function network(text: string): Network {
  const read = parseNetwork(text);
  assert(read !== null, 'a network that is written here can be read');
  return read;
}

const groupsOf = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(16 * (7 - index))) & 0xffffn));

function shorten(groups: readonly number[]): string {
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  // A single zero is written out.
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The first of the longest runs. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}
