import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandboxFetch } from '../../sandbox/mycelium/in-process.ts';
import { MyceliumSandbox } from '../../sandbox/mycelium/network.ts';
import { subnetOf } from '../../sandbox/mycelium/node.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { ownAuthor } from '../../src/operations/audit/record.ts';
import { beginChallenge, type BegunChallenge } from '../../src/operations/challenge/begin.ts';
import { verifyChallenge } from '../../src/operations/challenge/verify.ts';
import type { House } from '../../src/operations/house.ts';
import { myceliumMessenger } from '../../src/providers/mycelium/index.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { Crash, testPorts, type TestPorts } from '../support/ports.ts';

let database: TestDatabase;
const overlayPorts = testPorts();
const overlay = new MyceliumSandbox({ clock: overlayPorts.clock, random: overlayPorts.random });
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

interface Process {
  readonly house: House;
  readonly ports: TestPorts;
  close(): Promise<void>;
}

let seeds = 0;
/** One process, with connections of its own. All have the same time. */
function anotherProcess(): Process {
  const ports = testPorts({ seed: (seeds += 1) });
  const http = { fetch: sandboxFetch(overlay) };
  const messenger = myceliumMessenger({ url: 'http://mycelium.invalid', ports: { ...ports, http } });
  const db = database.open({ ports, poolMax: 4 });
  return { house: testHouse({ db, ports, messenger }), ports, close: () => db.close() };
}

let nodes = 0;
/** A node that was never there before. */
function newNode(): { name: string; address: string; subnet: string } {
  const node = overlay.add(`n${(nodes += 1)}`);
  // The network has room for fifty; an old one makes place by never being used again.
  if (node === null) throw new Error('the overlay is full');
  return { name: node.name, address: node.address, subnet: subnetOf(node) };
}

const codeSentTo = (name: string): string => {
  const node = overlay.node(name);
  const text = node && overlay.arrived(node)[0]?.payload.toString();
  return / challenge \S+ code (\S+)$/m.exec(text ?? '')?.[1] ?? 'none';
};

const CALLER = { address: null, agent: null };

async function begin({ house }: Process, address: string): Promise<BegunChallenge> {
  const begun = await beginChallenge(house, { address, purpose: { kind: 'sign_in' } });
  if (isRefusal(begun)) throw new Error(begun.message);
  return begun;
}

const verify = ({ house }: Process, { sid, holderSecret }: BegunChallenge, code: string | null) =>
  verifyChallenge(house, { sid, holderSecret, code, asker: null, caller: CALLER, author: ownAuthor(house, 'test') });

const isSignedIn = (outcome: Awaited<ReturnType<typeof verify>>): boolean => 'token' in outcome;

/** How many sessions, users and wallets a node has led to. */
async function ledTo(subnet: string): Promise<{ sessions: number; users: number; wallets: number }> {
  const [row] = await database.owner.query<{ sessions: number; users: number; wallets: number }>(
    {
      name: 'test.led_to',
      text: `select (select count(*) from session where user_sid in (select user_sid from identity where subject = $1))::int as sessions,
                    count(*)::int as users,
                    (select count(*) from wallet where user_sid in (select user_sid from identity where subject = $1))::int as wallets
             from app_user where sid in (select user_sid from identity where subject = $1)`,
    },
    [subnet],
  );
  return row ?? { sessions: -1, users: -1, wallets: -1 };
}

async function dying(process: Process, at: number, work: () => Promise<unknown>): Promise<boolean> {
  process.ports.crash.dieAfter(at);
  try {
    await work();
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
}

/** The overlay has room for so many nodes, and each place takes one. */
const PLACES_MAX = 40;

describe('G01 a process that dies while somebody signs in', () => {
  it('leaves one session or none, one user or none, and a way to sign in', async () => {
    let died = 0;
    for (let at = 0; at < PLACES_MAX; at += CRASH_EVERY) {
      const { name, address, subnet } = newNode();
      const [first, second] = [anotherProcess(), anotherProcess()];
      const begun = await begin(second, address);
      const code = codeSentTo(name);
      if (await dying(first, at, () => verify(first, begun, code))) died += 1;
      await first.close();
      const before = await ledTo(subnet);
      expect(before.sessions).toBeLessThanOrEqual(1);
      // The code is good still, or it was used: then it opens nothing more, and there is another.
      if (!isSignedIn(await verify(second, begun, code))) {
        expect(await ledTo(subnet)).toEqual(before);
        const again = await begin(second, address);
        expect(isSignedIn(await verify(second, again, codeSentTo(name)))).toBe(true);
      }
      const after = await ledTo(subnet);
      expect({ users: after.users, wallets: after.wallets }).toEqual({ users: 1, wallets: 1 });
      expect(after.sessions).toBe(before.sessions + 1);
      await second.close();
    }
    expect(died).toBeGreaterThan(5);
  });
});

describe('two processes', () => {
  it('that are told the same code at once open one session', async () => {
    const { name, address, subnet } = newNode();
    const processes = [anotherProcess(), anotherProcess(), anotherProcess(), anotherProcess()];
    const [one] = processes;
    if (one === undefined) throw new Error('no process');
    const begun = await begin(one, address);
    const code = codeSentTo(name);
    const outcomes = await Promise.all(processes.map((process) => verify(process, begun, code)));
    expect(outcomes.filter(isSignedIn)).toHaveLength(1);
    expect(await ledTo(subnet)).toEqual({ sessions: 1, users: 1, wallets: 1 });
    await Promise.all(processes.map((process) => process.close()));
  });

  it('at which one new node signs in at once open one user', async () => {
    const { name, address, subnet } = newNode();
    const [one, other] = [anotherProcess(), anotherProcess()];
    const first = await begin(one, address);
    const code = codeSentTo(name);
    const second = await begin(other, address);
    const outcomes = await Promise.all([verify(one, first, code), verify(other, second, codeSentTo(name))]);
    expect(outcomes.every(isSignedIn)).toBe(true);
    expect(await ledTo(subnet)).toEqual({ sessions: 2, users: 1, wallets: 1 });
    await Promise.all([one.close(), other.close()]);
  });

  it('share five wrong codes and five messages to a node between them', async () => {
    const { name, address } = newNode();
    const processes = [anotherProcess(), anotherProcess(), anotherProcess()];
    const [one] = processes;
    if (one === undefined) throw new Error('no process');
    const begun = await begin(one, address);
    const wrong = Array.from({ length: 9 }, (_, index) => processes[index % 3] ?? one);
    await Promise.all(wrong.map((process) => verify(process, begun, '0000-0000-0000')));
    expect(isSignedIn(await verify(one, begun, codeSentTo(name)))).toBe(false);
    const asked = await Promise.all(
      wrong.map(({ house }) => beginChallenge(house, { address, purpose: { kind: 'sign_in' } })),
    );
    expect(asked.filter((outcome) => !isRefusal(outcome))).toHaveLength(4);
    await Promise.all(processes.map((process) => process.close()));
  });
});
