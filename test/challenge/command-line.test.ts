import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sandboxFetch } from '../../sandbox/mycelium/in-process.ts';
import { MyceliumSandbox } from '../../sandbox/mycelium/network.ts';
import { buildCli } from '../../src/cli/cli.ts';
import { myceliumMessenger } from '../../src/providers/mycelium/index.ts';
import { testSite, type TestSite } from '../transport/site.ts';

const DAEMONS = 'http://mycelium.invalid';
const FILE = '/ada/.config/hero-onboarding/sessions.json';

let site: TestSite;
let overlay: MyceliumSandbox;
const files = new Map<string, string>();

beforeAll(async () => {
  site = await testSite({
    messenger: (ports) => {
      overlay = new MyceliumSandbox({ clock: ports.clock, random: ports.random });
      const http = { fetch: sandboxFetch(overlay) };
      return myceliumMessenger({ url: DAEMONS, ports: { ...ports, http } });
    },
  });
});
afterAll(() => site.close());
beforeEach(async () => {
  files.clear();
  await site.ports.clock.advance(10 * 60_000);
});

const addressOf = (name: string): string => overlay.node(name)?.address ?? '';

async function run(args: readonly string[], answer: (question: string) => string | null = () => null) {
  let out = '';
  let err = '';
  const cli = buildCli({
    env: { HOME: '/ada' },
    out: (text) => (out += text),
    err: (text) => (err += text),
    readFile: (path) => files.get(path) ?? null,
    writeFile: (path, text) => files.set(path, text),
    ask: (question) => Promise.resolve(answer(question)),
    now: () => site.ports.clock.now(),
    fetch: (url, init) =>
      url.startsWith(DAEMONS) ? sandboxFetch(overlay)(url, init) : Promise.resolve(site.app.request(url, init)),
    sleep: () => Promise.resolve(),
  });
  return { exitCode: await cli(args), out, err };
}

const codeAt = (name: string): string | null => {
  const node = overlay.node(name);
  const text = node && overlay.arrived(node)[0]?.payload.toString();
  return / challenge \S+ code (\S+)$/m.exec(text ?? '')?.[1] ?? null;
};

describe('login', () => {
  it('reads the code from the daemon on the machine, keeps the session, and says who one is', async () => {
    const daemon = ['--mycelium-api', `${DAEMONS}/nodes/ada/`];
    const stray = {
      to: addressOf('ada'),
      topic: Buffer.from('login'),
      payload: Buffer.from('of another\u001B[2J'),
      replyTo: null,
    };
    const [service] = overlay.nodes();
    if (service) overlay.send(service, stray);
    const ran = await run(['login', ...daemon]);
    expect(ran).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^Signed in as 4[\da-f:]+ \(user \w{26}\), until /),
    });
    expect(ran.err).toContain('of another [2J');
    expect(files.has(FILE)).toBe(true);
    expect(ran.out + ran.err).not.toContain(JSON.parse(files.get(FILE) ?? '{}')['http://127.0.0.1:9920'].token);
    expect((await run(['session', 'get', '--json'])).out).toContain('"role": "user"');
    expect(await run(['logout'])).toMatchObject({ exitCode: 0, out: 'Signed out.\n' });
    expect(files.get(FILE)).toBe('{}\n');
    expect((await run(['session', 'get', '--json'])).out).toContain('"role": "anonymous"');
    expect((await run(['logout'])).out).toMatch(/^Nobody is signed in/);
  });

  it('asks for the code when it is told an address alone', async () => {
    const args = ['login', '--address', addressOf('ben')];
    expect(await run(args, () => codeAt('ben'))).toMatchObject({ exitCode: 0 });
    const wrong = await run(args, () => '0000-0000-0000');
    expect(wrong).toMatchObject({ exitCode: 1, err: expect.stringContaining('You can try 4 more times') });
    expect(await run(args)).toMatchObject({ exitCode: 1, err: expect.stringContaining('--mycelium-api') });
    expect(await run(['login'])).toMatchObject({ exitCode: 1, err: expect.stringContaining('--address') });
  });

  it('keeps one session for each service, and forgets one that is over', async () => {
    const args = ['login', '--mycelium-api', `${DAEMONS}/nodes/ada`];
    await run(args);
    await run([...args, '--url', 'http://localhost:9920']);
    const before = JSON.parse(files.get(FILE) ?? '{}') as Record<string, { token: string }>;
    expect(Object.keys(before)).toEqual(['http://127.0.0.1:9920', 'http://localhost:9920']);
    const token = before['http://127.0.0.1:9920']?.token ?? '';
    await site.call('POST', '/logout', { headers: { authorization: `Bearer ${token}` } });
    const late = await run(['session', 'get']);
    expect(late).toMatchObject({ exitCode: 1, err: expect.stringContaining('sign in again') });
    expect(Object.keys(JSON.parse(files.get(FILE) ?? '{}') as object)).toEqual(['http://localhost:9920']);
    files.set(FILE, 'spoilt');
    expect((await run(['session', 'get', '--json'])).out).toContain('"role": "anonymous"');
  });

  it('says when the code does not arrive, and when nothing answers', async () => {
    const elsewhere = ['login', '--address', addressOf('ben'), '--mycelium-api', `${DAEMONS}/nodes/ada`];
    expect(await run(elsewhere)).toMatchObject({ exitCode: 1, err: expect.stringContaining('did not arrive') });
    const nobody = ['login', '--mycelium-api', `${DAEMONS}/nodes/nobody`];
    expect(await run(nobody)).toMatchObject({ exitCode: 1, err: expect.stringContaining('404') });
  });
});
