import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fileKeeper } from '../keeper.ts';
import { liveUntilStopped } from '../serve.ts';
import { clockAheadBy } from '../system-clock.ts';
import type { LoginChange } from './login/state.ts';
import { startForgeSandbox } from './server.ts';

const USAGE = `node sandbox/forge/main.ts --token TOKEN --folder PATH
  --repository OWNER/NAME  sandbox/usage by default
  --branch NAME            main by default
  --client-id ID           an application that people may sign in to, with
  --client-secret SECRET   and
  --redirect-uri URL       where they come back to; all three or none
  --people-file PATH       keeps the accounts that were made, for the next start
  --port N                 a free one by default
  --host ADDRESS           127.0.0.1 by default; whoever reaches it controls it
  --clock-file PATH        says by how many milliseconds its time is ahead of the machine's
  --until-stdin-ends       stop when standard input ends, so that it never outlives the process that started it`;

const { values } = parseArgs({
  options: {
    token: { type: 'string' },
    folder: { type: 'string' },
    repository: { type: 'string', default: 'sandbox/usage' },
    branch: { type: 'string', default: 'main' },
    'client-id': { type: 'string' },
    'client-secret': { type: 'string' },
    'redirect-uri': { type: 'string' },
    'people-file': { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'clock-file': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});

const { token, folder, repository, branch, port, host } = values;
if (token === undefined || folder === undefined) {
  console.error(USAGE);
  process.exit(2);
}

const { 'client-id': clientId, 'client-secret': clientSecret, 'redirect-uri': redirectUri } = values;
const peopleFile = values['people-file'];
const login =
  clientId === undefined || clientSecret === undefined || redirectUri === undefined
    ? null
    : {
        clientId,
        clientSecret,
        redirectUris: [redirectUri],
        random: { bytes: (count: number) => randomBytes(count) },
        ...(peopleFile === undefined ? {} : { keeper: fileKeeper<LoginChange>(peopleFile) }),
      };

const clock = clockAheadBy(values['clock-file']);
const running = await startForgeSandbox({
  token,
  folder,
  repository,
  branch,
  host,
  port: Number(port),
  now: () => clock.now(),
  ...(login === null ? {} : { login }),
});

liveUntilStopped(running, { untilStdinEnds: values['until-stdin-ends'] });
