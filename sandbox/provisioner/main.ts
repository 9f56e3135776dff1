import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileKeeper } from '../keeper.ts';
import { liveUntilStopped } from '../serve.ts';
import { clockAheadBy } from '../system-clock.ts';
import { startProvisionerSandbox } from './server.ts';
import type { VmChange } from './vms.ts';

const USAGE = `node sandbox/provisioner/main.ts --token TOKEN
  --port N             a free one by default
  --host ADDRESS       127.0.0.1 by default; whoever reaches it controls it
  --state-file PATH    keeps its VMs, for the next start
  --clock-file PATH    says by how many milliseconds its time is ahead of the machine's
  --boot-ms N          from a VM's making until it runs, 0 by default
  --clean-ms N         from taking a VM back until its place is clean, 0 by default
  --until-stdin-ends   stop when standard input ends, so that it never outlives the process that started it`;

const { values } = parseArgs({
  options: {
    token: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'state-file': { type: 'string' },
    'clock-file': { type: 'string' },
    'boot-ms': { type: 'string' },
    'clean-ms': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});

const { token, 'state-file': stateFile, 'boot-ms': bootMs, 'clean-ms': cleanMs } = values;
if (token === undefined) {
  console.error(USAGE);
  process.exit(2);
}

const running = await startProvisionerSandbox({
  clock: clockAheadBy(values['clock-file']),
  random: { bytes: (count) => randomBytes(count) },
  token,
  port: Number(values.port),
  host: values.host,
  ...(stateFile === undefined ? {} : { keeper: fileKeeper<VmChange>(stateFile) }),
});
if (bootMs !== undefined) running.sandbox.switches.bootMs = Number(bootMs);
if (cleanMs !== undefined) running.sandbox.switches.cleanMs = Number(cleanMs);

liveUntilStopped(running, { untilStdinEnds: values['until-stdin-ends'] });
