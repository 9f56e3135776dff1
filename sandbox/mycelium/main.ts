import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileKeeper } from '../keeper.ts';
import { liveUntilStopped } from '../serve.ts';
import { clockAheadBy } from '../system-clock.ts';
import type { NodeAdded } from './network.ts';
import { startMyceliumSandbox } from './server.ts';

const USAGE = `node sandbox/mycelium/main.ts
  --nodes NAMES        service,ada,ben by default; the first is the service's own
  --seed TEXT          another makes other nodes of the same names
  --port N             a free one by default
  --host ADDRESS       127.0.0.1 by default; whoever reaches it controls it
  --state-file PATH    keeps the nodes that were added, for the next start
  --clock-file PATH    says by how many milliseconds its time is ahead of the machine's
  --until-stdin-ends   stop when standard input ends, so that it never outlives the process that started it`;

const { values } = parseArgs({
  options: {
    nodes: { type: 'string' },
    seed: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'state-file': { type: 'string' },
    'clock-file': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.error(USAGE);
  process.exit(2);
}

const { nodes, seed, 'state-file': stateFile } = values;
const running = await startMyceliumSandbox({
  clock: clockAheadBy(values['clock-file']),
  random: { bytes: (count) => randomBytes(count) },
  port: Number(values.port),
  host: values.host,
  ...(nodes === undefined ? {} : { nodes: nodes.split(',') }),
  ...(seed === undefined ? {} : { seed }),
  ...(stateFile === undefined ? {} : { keeper: fileKeeper<NodeAdded>(stateFile) }),
});

liveUntilStopped(running, { untilStdinEnds: values['until-stdin-ends'] });
