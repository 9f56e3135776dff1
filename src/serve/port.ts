import { createServer } from 'node:net';
import type { ListenAddress } from '../config/kinds.ts';
import { StartRefused } from './start-refused.ts';

/**
 * Takes the address for a moment: says early, before a database is started, that it is in use, and turns port 0 into a
 * number that return addresses can be made of.
 */
export function reserveAddress({ host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => reject(addressRefused(error, { host, port })));
    probe.listen({ host, port, exclusive: true }, () => {
      const bound = probe.address();
      const taken = typeof bound === 'object' && bound !== null ? bound.port : port;
      probe.close(() => resolve({ host, port: taken }));
    });
  });
}

export function addressRefused(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new StartRefused(
      `${address} is in use: another program, perhaps another hero-onboarding, listens there. Stop it, or set HERO_ONBOARDING_LISTEN to another port.`,
    );
  }
  if (error.code === 'EACCES') {
    return new StartRefused(
      `This user may not listen on ${address}; ports below 1024 need a privilege. Set HERO_ONBOARDING_LISTEN to another port.`,
    );
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new StartRefused(`${host} is not an address of this machine. Set HERO_ONBOARDING_LISTEN to one that is.`);
  }
  return error;
}
