import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileKeeper } from '../keeper.ts';
import { liveUntilStopped } from '../serve.ts';
import { clockAheadBy } from '../system-clock.ts';
import { startStripeSandbox } from './server.ts';

const USAGE = `node sandbox/stripe/main.ts --secret-key KEY [--webhook-url URL --webhook-secret SECRET]
  --port N             a free one by default
  --host ADDRESS       127.0.0.1 by default; whoever reaches it controls it
  --account ID         the account it plays
  --state-file PATH    keeps what it holds, for the next start
  --settle-after-ms N  from a delayed payment to its money, 5000 by default
  --clock-file PATH    says by how many milliseconds its time is ahead of the machine's
  --until-stdin-ends   stop when standard input ends, so that it never outlives the process that started it`;

const { values } = parseArgs({
  options: {
    'secret-key': { type: 'string' },
    'webhook-url': { type: 'string' },
    'webhook-secret': { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    account: { type: 'string' },
    'state-file': { type: 'string' },
    'settle-after-ms': { type: 'string' },
    'clock-file': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});

const secretKey = values['secret-key'];
if (secretKey === undefined || (values['webhook-url'] === undefined) !== (values['webhook-secret'] === undefined)) {
  console.error(USAGE);
  process.exit(2);
}

const running = await startStripeSandbox({
  clock: clockAheadBy(values['clock-file']),
  random: { bytes: (count) => randomBytes(count) },
  secretKey,
  port: Number(values.port),
  host: values.host,
  webhookUrl: values['webhook-url'] ?? null,
  ...(values['webhook-secret'] === undefined ? {} : { webhookSecret: values['webhook-secret'] }),
  ...(values['state-file'] === undefined ? {} : { keeper: fileKeeper(values['state-file']) }),
  ...(values.account === undefined ? {} : { accountId: values.account }),
});
const settleAfterMs = values['settle-after-ms'];
if (settleAfterMs !== undefined) running.sandbox.turn({ settleAfterMs: Number(settleAfterMs) });

liveUntilStopped(running, { untilStdinEnds: values['until-stdin-ends'] });
