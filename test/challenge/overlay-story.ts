import { sandboxFetch } from '../../sandbox/mycelium/in-process.ts';
import { MyceliumSandbox } from '../../sandbox/mycelium/network.ts';
import type { PlayNode } from '../../sandbox/mycelium/node.ts';
import { calm } from '../../sandbox/mycelium/switches.ts';
import { myceliumMessenger } from '../../src/providers/mycelium/index.ts';
import { testSite, type Answer, type TestSite } from '../transport/site.ts';

export const OURS = { origin: 'http://127.0.0.1:9920' };

export interface Begun {
  readonly sid: string;
  readonly number: string;
  readonly code: string;
  readonly cookie: string;
}

/** Somebody's browser, signed in. */
export interface Person {
  readonly userSid: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole house, and a simulated overlay in which its node and those of people are. Time stands still unless a test moves it. */
export interface OverlayStory {
  readonly site: TestSite;
  readonly overlay: MyceliumSandbox;
  /** Whether our own daemon cannot be reached. */
  isAway: boolean;
  node(name: string): PlayNode;
  ask(body: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Asks for a code for a node of this name, and reads it there. */
  begin(name?: string, more?: object, headers?: Readonly<Record<string, string>>): Promise<Begun>;
  verify(
    begun: Pick<Begun, 'sid' | 'cookie'>,
    more?: object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  codeSentTo(name: string): string;
  /** From a node to ours: an answer to what it got last, or with a topic a message of its own. */
  reply(name: string, text: string, topic?: string): void;
  sessionOf(token: unknown): Promise<Record<string, unknown>>;
  /** By a code that went to the node of this name. */
  signIn(name: string): Promise<Person>;
  /** By a name in the sandbox. */
  play(name: string): Promise<Person>;
  /** Everything calm, and past the limits of the test before. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

/** The cookies that an answer sets, as the next request sends them; one that is taken away is not. */
export const cookiesOf = ({ headers }: Answer): string =>
  headers
    .getSetCookie()
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ');

export async function overlayStory(): Promise<OverlayStory> {
  let made: MyceliumSandbox | null = null;
  const site = await testSite({
    messenger: (ports) => {
      made = new MyceliumSandbox({ clock: ports.clock, random: ports.random });
      const reach = sandboxFetch(made);
      const http: typeof ports.http = {
        fetch: (input, init) => (story.isAway ? Promise.reject(new TypeError('away')) : reach(input, init)),
      };
      return myceliumMessenger({ url: 'http://mycelium.invalid', ports: { ...ports, http } });
    },
  });
  const story: OverlayStory = { ...tell(site, made ?? fail('no overlay')), isAway: false };
  return story;
}

function fail(what: string): never {
  throw new Error(what);
}

function tell(site: TestSite, overlay: MyceliumSandbox): Omit<OverlayStory, 'isAway'> {
  const node: OverlayStory['node'] = (name) => overlay.node(name) ?? fail(name);
  const ask: OverlayStory['ask'] = (body, headers = {}) =>
    site.call('POST', '/login/challenge', { body, headers: { ...OURS, ...headers } });
  const codeSentTo: OverlayStory['codeSentTo'] = (name) =>
    / challenge \S+ code (\S+)$/m.exec(overlay.arrived(node(name))[0]?.payload.toString() ?? '')?.[1] ?? 'none';
  const begin: OverlayStory['begin'] = async (name = 'ada', more = {}, headers = {}) => {
    const answer = await ask({ address: node(name).address, ...more }, headers);
    if (answer.status !== 201) throw new Error(answer.text);
    const { challenge, number } = answer.json;
    return { sid: String(challenge), number: String(number), code: codeSentTo(name), cookie: cookiesOf(answer) };
  };
  const verify: OverlayStory['verify'] = (begun, more = {}, headers = {}) =>
    site.call('POST', '/login/verify', {
      body: { challenge: begun.sid, ...more },
      headers: { ...OURS, cookie: begun.cookie, ...headers },
    });
  const sessionOf: OverlayStory['sessionOf'] = async (token) =>
    (await site.call('GET', '/v1/session', { headers: { authorization: `Bearer ${String(token)}` } })).json;
  const personOf = async (answer: Answer): Promise<Person> => {
    if (answer.status !== 200) throw new Error(answer.text);
    const token = String(answer.json['token']);
    const { session } = (await sessionOf(token)) as { session: { form_token: string } };
    const headers = { ...OURS, cookie: cookiesOf(answer), 'x-form-token': session.form_token };
    return { userSid: String(answer.json['user_sid']), headers, token };
  };
  return {
    site,
    overlay,
    node,
    ask,
    begin,
    verify,
    codeSentTo,
    sessionOf,
    reply: (name, text, topic = '') => {
      const replyTo = topic === '' ? (overlay.arrived(node(name))[0]?.id ?? null) : null;
      const { address: to } = node('service');
      overlay.send(node(name), { to, topic: Buffer.from(topic), payload: Buffer.from(text), replyTo });
    },
    signIn: async (name) => {
      const begun = await begin(name);
      return personOf(await verify(begun, { code: begun.code }));
    },
    play: async (name) => personOf(await site.call('POST', '/login/sandbox', { body: { name }, headers: OURS })),
    rest: async () => {
      Object.assign(overlay.switches, calm());
      await site.ports.clock.advance(10 * 60_000);
    },
    close: async () => {
      overlay.close();
      await site.close();
    },
  };
}
