export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** Over https or on this machine; also where there is no address at all. */
export function isPrivate(address: string | null): boolean {
  const url = address === null ? null : new URL(address);
  return url === null || url.protocol === 'https:' || isLoopback(url.hostname.replace(/[[\]]/g, ''));
}
