import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileKeeper } from '../keeper.ts';
import { liveUntilStopped } from '../serve.ts';
import { clockAheadBy } from '../system-clock.ts';
import { startClickPesaSandbox } from './server.ts';

const USAGE = `node sandbox/clickpesa/main.ts --client-id ID --api-key KEY --checksum-key KEY
  --webhook-url URL    where events go
  --return-url URL     where the result page leads
  --port N             a free one by default
  --host ADDRESS       127.0.0.1 by default; whoever reaches it controls it
  --state-file PATH    keeps what it holds, for the next start
  --settle-after-ms N  from the PIN to the money, 3000 by default
  --clock-file PATH    says by how many milliseconds its time is ahead of the machine's
  --until-stdin-ends   stop when standard input ends, so that it never outlives the process that started it`;

const { values } = parseArgs({
  options: {
    'client-id': { type: 'string' },
    'api-key': { type: 'string' },
    'checksum-key': { type: 'string' },
    'webhook-url': { type: 'string' },
    'return-url': { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'state-file': { type: 'string' },
    'settle-after-ms': { type: 'string' },
    'clock-file': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});

const { 'client-id': clientId, 'api-key': apiKey, 'checksum-key': checksumKey } = values;
if (clientId === undefined || apiKey === undefined || checksumKey === undefined) {
  console.error(USAGE);
  process.exit(2);
}

const running = await startClickPesaSandbox({
  clock: clockAheadBy(values['clock-file']),
  random: { bytes: (count) => randomBytes(count) },
  clientId,
  apiKey,
  checksumKey,
  port: Number(values.port),
  host: values.host,
  webhookUrl: values['webhook-url'] ?? null,
  returnUrl: values['return-url'] ?? null,
  ...(values['state-file'] === undefined ? {} : { keeper: fileKeeper(values['state-file']) }),
});
const settleAfterMs = values['settle-after-ms'];
if (settleAfterMs !== undefined) running.sandbox.turn({ settleAfterMs: Number(settleAfterMs) });

liveUntilStopped(running, { untilStdinEnds: values['until-stdin-ends'] });
