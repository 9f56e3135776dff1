import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileKeeper } from '../keeper.ts';
import { liveUntilStopped } from '../serve.ts';
import { clockAheadBy } from '../system-clock.ts';
import { startBtcpaySandbox } from './server.ts';

const USAGE = `node sandbox/btcpay/main.ts --api-key KEY --store-id ID [--webhook-url URL --webhook-secret SECRET]
  --port N              a free one by default
  --host ADDRESS        127.0.0.1 by default; whoever reaches it controls it
  --state-file PATH     keeps what it holds, for the next start
  --confirm-after-ms N  from a payment to its last confirmation, 5000 by default
  --clock-file PATH     says by how many milliseconds its time is ahead of the machine's
  --until-stdin-ends    stop when standard input ends, so that it never outlives the process that started it`;

const { values } = parseArgs({
  options: {
    'api-key': { type: 'string' },
    'store-id': { type: 'string' },
    'webhook-url': { type: 'string' },
    'webhook-secret': { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'state-file': { type: 'string' },
    'confirm-after-ms': { type: 'string' },
    'clock-file': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});

const apiKey = values['api-key'];
const storeId = values['store-id'];
const hasHalfAWebhook = (values['webhook-url'] === undefined) !== (values['webhook-secret'] === undefined);
if (apiKey === undefined || storeId === undefined || hasHalfAWebhook) {
  console.error(USAGE);
  process.exit(2);
}

const running = await startBtcpaySandbox({
  clock: clockAheadBy(values['clock-file']),
  random: { bytes: (count) => randomBytes(count) },
  apiKey,
  storeId,
  port: Number(values.port),
  host: values.host,
  webhookUrl: values['webhook-url'] ?? null,
  ...(values['webhook-secret'] === undefined ? {} : { webhookSecret: values['webhook-secret'] }),
  ...(values['state-file'] === undefined ? {} : { keeper: fileKeeper(values['state-file']) }),
});
const confirmAfterMs = values['confirm-after-ms'];
if (confirmAfterMs !== undefined) running.sandbox.turn({ confirmAfterMs: Number(confirmAfterMs) });

liveUntilStopped(running, { untilStdinEnds: values['until-stdin-ends'] });
