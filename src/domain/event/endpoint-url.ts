import { mayReach, parseAddress, type ReachRules } from './address.ts';

export const ENDPOINT_URL_MAX = 2_000;
const PORTS = new Set(['', '443', '8443']);

/**
 * Whether events may be sent to an address that somebody gave.
 *
 * Shape: the address as it will be called, or what is wrong, to be read after "url".
 * A name is only looked at here; where it leads is checked each time, on the address that is connected to.
 */
export function judgeEndpointUrl(
  text: string,
  rules: ReachRules,
): { readonly url: string } | { readonly problem: string } {
  const url = text.length <= ENDPOINT_URL_MAX && isVisibleAscii(text) ? URL.parse(text) : null;
  if (url === null) return { problem: `must be a URL of at most ${ENDPOINT_URL_MAX} visible ASCII characters` };
  const isPlain = url.protocol === 'http:' && rules.mayLoopBack;
  if (url.protocol !== 'https:' && !isPlain) return { problem: 'must begin with https://' };
  if (url.username !== '' || url.password !== '') return { problem: 'must not hold a user or a password' };
  if (url.hash !== '') return { problem: 'must not have a fragment' };
  if (!PORTS.has(url.port) && !rules.mayLoopBack) return { problem: 'must have port 443 or 8443' };
  const host = hostOf(url);
  const isAddress = parseAddress(host) !== null;
  const isFine = isAddress ? mayReach(host, rules) : isPublicName(host, rules);
  return isFine ? { url: url.href } : { problem: 'must name a host of the public internet' };
}

/** The host of a URL, without the brackets of an IPv6 address. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

const isVisibleAscii = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

function isPublicName(host: string, { mayLoopBack }: ReachRules): boolean {
  if (/^(.*\.)?localhost$/.test(host)) return mayLoopBack;
  return /^([a-z0-9_-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*$/.test(host);
}
