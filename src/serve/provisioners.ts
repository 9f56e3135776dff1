import type { Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import { httpProvisioner } from '../providers/http-provisioner/index.ts';
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
