import type { Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import { httpProvisioner } from '../providers/http-provisioner/index.ts';
import { poolProvisioner } from '../operations/allocation/pool-provisioner.ts';
import type { House } from '../operations/house.ts';
import type { ProvisionerName } from '../domain/allocation/provisioner-name.ts';
import type { Provisioner } from '../providers/provisioner.ts';
import type { ProvisionerSimulator } from './simulators.ts';

/** The back end for VMs; null: none is configured. The simulated one has its own token, of this start alone. */
export function httpProvisionerOf(
  config: Config,
  ports: Ports,
  simulator: ProvisionerSimulator | null,
): Provisioner | null {
  if (simulator !== null) return httpProvisioner({ url: simulator.url, token: simulator.token, ports });
  const { provisionerUrl: url, provisionerToken: token } = config;
  return url === null || token === null ? null : httpProvisioner({ url, token, ports });
}

/** The pool is always there: what was given from it stays in it, whoever gives new VMs. */
export const provisionersOf = (
  house: Pick<House, 'db' | 'ports'>,
  http: Provisioner | null,
): ReadonlyMap<ProvisionerName, Provisioner> =>
  new Map(
    [poolProvisioner(house), ...(http === null ? [] : [http])].map((provisioner) => [provisioner.name, provisioner]),
  );
