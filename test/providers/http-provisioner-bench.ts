import { sandboxFetch } from '../../sandbox/provisioner/in-process.ts';
import { startProvisionerSandbox } from '../../sandbox/provisioner/server.ts';
import type { Fault } from '../../sandbox/provisioner/switches.ts';
import { ProvisionerSandbox } from '../../sandbox/provisioner/vms.ts';
import { httpProvisioner } from '../../src/providers/http-provisioner/index.ts';
import type { WantedVm } from '../../src/providers/provisioner.ts';
import type { ProvisionerBench } from '../contract/provisioner.ts';
import { whileTimePasses } from '../contract/time.ts';
import type { Trouble } from '../contract/trouble.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const TOKEN = 'a-token-that-only-the-tests-have';

export interface HttpProvisionerBench extends ProvisionerBench {
  readonly ports: TestPorts;
  readonly sandbox: ProvisionerSandbox;
  readonly url: string;
}

/** The simulator on a loopback port, and the provisioner in front of it. */
export async function openHttpProvisionerBench(): Promise<HttpProvisionerBench> {
  const ports = testPorts();
  const { clock, random } = ports;
  const { sandbox, url, close } = await startProvisionerSandbox({ clock, random, token: TOKEN });
  return benchOf({ ports, sandbox, url, close });
}

/** The same without a socket: requests are handed to the simulator as calls. */
export function openInProcessProvisioner(): Promise<HttpProvisionerBench> {
  const own = testPorts();
  const sandbox = new ProvisionerSandbox({ clock: own.clock, random: own.random, token: TOKEN });
  const ports: TestPorts = { ...own, http: { fetch: sandboxFetch(sandbox) } };
  return Promise.resolve(benchOf({ ports, sandbox, url: 'http://vms.invalid', close: () => Promise.resolve() }));
}

const FAULT_OF: Readonly<Record<Trouble, Fault['kind']>> = {
  'cut-after': 'reset-after-effect',
  'silent-after': 'timeout-after-effect',
  'error-after': 'error-after-effect',
  'error-before': 'error-before-effect',
  html: 'html',
  'slow-down': 'rate-limit',
};

type Parts = Pick<HttpProvisionerBench, 'ports' | 'sandbox' | 'url' | 'close'>;

function benchOf(parts: Parts): HttpProvisionerBench {
  const { ports, sandbox, url } = parts;
  const turn = (changes: Partial<ProvisionerSandbox['switches']>): Promise<void> => {
    Object.assign(sandbox.switches, changes);
    return Promise.resolve();
  };
  return {
    ...parts,
    provisioner: httpProvisioner({ url, token: TOKEN, ports }),
    wanted: (number) => Promise.resolve(wantedVm(number)),
    places: (places) => turn({ places }),
    cleansSlowly: () => turn({ cleanMs: null }),
    clean: (sid) => {
      const vm = sandbox.find(sid);
      if (vm !== null) sandbox.clean(vm);
      return Promise.resolve();
    },
    count: () => Promise.resolve(sandbox.all().filter(({ state }) => state !== 'released').length),
    trouble: url.endsWith('.invalid')
      ? null
      : {
          start: (trouble, times) => void turn({ faults: [{ kind: FAULT_OF[trouble], times }] }),
          stop: () => void turn({ faults: [] }),
          through: (call) =>
            whileTimePasses(ports, call, () => /^(timeout|hang)/.test(sandbox.requests.at(-1)?.fault ?? '')),
        },
  };
}

export const wantedVm = (number: number, changes: Partial<WantedVm> = {}): WantedVm => ({
  allocationSid: `01ARZ3NDEKTSV4RRFFQ69G5A${String(number).padStart(2, '0')}`,
  userSid: '01ARZ3NDEKTSV4RRFFQ69G5VSR',
  forgeId: 'https://git.example.org#7',
  name: `vm-${number}`,
  size: 'small',
  sshKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkqWtVbGxXQ6R8WbY7Z0gQ0yZ3a9o2n1n6vJ0x3pQ1b'],
  expiresAt: new Date('2026-12-01T00:00:00.000Z'),
  ...changes,
});
