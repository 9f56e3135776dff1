import { forgetful, type Keeper } from '../keeper.ts';
import type { SandboxClock, SandboxRandom } from '../ports.ts';
import { isOf, playNode, shortened, type PlayNode } from './node.ts';
import { calm, type Switches } from './switches.ts';

export interface SandboxOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  /** The nodes that are there from the start; the first is the service's own. */
  readonly nodes?: readonly string[];
  /** Another seed makes other nodes of the same names. */
  readonly seed?: string;
  /** Absent: nodes that were added are gone with the process. */
  readonly keeper?: Keeper<NodeAdded>;
}

export interface NodeAdded {
  readonly node: string;
}

export interface Message {
  readonly id: string;
  readonly srcIp: string;
  readonly srcPk: string;
  readonly dstIp: string;
  readonly dstPk: string;
  readonly topic: Buffer;
  readonly payload: Buffer;
}

export interface Outgoing {
  /** As eight groups. */
  readonly to: string;
  readonly topic: Buffer;
  readonly payload: Buffer;
  /** The id of the message that it answers, which becomes its own. Null: it is no reply. */
  readonly replyTo: string | null;
}

interface Sent {
  readonly dst: string;
  readonly createdMs: number;
  readonly bytes: number;
  state: 'pending' | 'received' | 'read' | 'aborted';
}

/** How long a daemon goes on trying to send a message. */
export const SEND_WINDOW_MS = 300_000;
const ADDED_MAX = 50;
const INBOX_MAX = 1_000;

type Waiter = (message: Message) => void;

interface Daemon {
  readonly node: PlayNode;
  readonly inbox: Message[];
  /** For its page: also what was fetched. Newest first. */
  readonly arrived: Message[];
  readonly sent: Map<string, Sent>;
  /** Who waits for the reply to a message, by its id. */
  readonly replyWaiters: Map<string, Waiter>;
  readonly inboxWaiters: Set<() => void>;
  /** Nodes that it has sent something to, and so knows the way to. */
  readonly routes: Set<string>;
  /** The daemon's one lock: whoever waits for a message holds it. */
  lock: Promise<void>;
}

/** A few nodes that reach one another, each with its daemon. No network of its own. */
export class MyceliumSandbox {
  readonly switches: Switches = calm();
  readonly requests: { method: string; path: string; status: number | null; fault: string | null }[] = [];
  readonly #options: SandboxOptions;
  readonly #daemons = new Map<string, Daemon>();
  readonly #closing = new AbortController();

  constructor(options: SandboxOptions) {
    this.#options = options;
    const { nodes = ['service', 'ada', 'ben'], keeper = forgetful } = options;
    for (const name of [...nodes, ...keeper.read().map(({ node }) => node)]) this.#open(name);
  }

  nodes(): PlayNode[] {
    return [...this.#daemons.values()].map(({ node }) => node);
  }

  node(name: string): PlayNode | null {
    return this.#daemons.get(name)?.node ?? null;
  }

  /** The node the service talks to when it names none. */
  get own(): PlayNode {
    const [first] = this.nodes();
    if (first === undefined) throw new Error('a network without nodes');
    return first;
  }

  /** Null: there are enough, or the name is none. */
  add(name: string): PlayNode | null {
    const known = this.node(name);
    if (known) return known;
    if (!/^[a-z0-9-]{1,20}$/.test(name) || this.#daemons.size >= ADDED_MAX) return null;
    this.#options.keeper?.append({ node: name });
    return this.#open(name);
  }

  #open(name: string): PlayNode {
    const node = playNode(name, this.#options.seed ?? 'sandbox');
    this.#daemons.set(name, {
      node,
      inbox: [],
      arrived: [],
      sent: new Map(),
      replyWaiters: new Map(),
      inboxWaiters: new Set(),
      routes: new Set(),
      lock: Promise.resolve(),
    });
    return node;
  }

  /** The key of whoever has an address, as far as a node knows. */
  keyOf(asking: PlayNode, groups: string): string | null {
    const { knowsKeys } = this.switches;
    const found = this.nodes().find((node) => isOf(node, groups));
    if (found === undefined || knowsKeys === 'never') return null;
    const isKnown = knowsKeys === 'always' || this.#daemon(asking).routes.has(found.name);
    return isKnown || found === asking ? found.publicKey : null;
  }

  addressOfKey(publicKey: string): string | null {
    return this.nodes().find((node) => node.publicKey === publicKey)?.address ?? null;
  }

  /** Takes a message for sending; the answer is its id. */
  send(from: PlayNode, { to, topic, payload, replyTo }: Outgoing): string {
    const { clock, random } = this.#options;
    const sender = this.#daemon(from);
    const id = replyTo ?? Buffer.from(random.bytes(8)).toString('hex');
    const createdMs = clock.now().getTime();
    sender.sent.set(id, { dst: to, createdMs, bytes: payload.length, state: 'pending' });
    const receiver = [...this.#daemons.values()].find(({ node }) => isOf(node, to));
    if (receiver === undefined) return id;
    sender.routes.add(receiver.node.name);
    const source = this.#sourceOf(from, receiver.node);
    const message = {
      id,
      srcIp: source.address,
      srcPk: source.publicKey,
      dstIp: to,
      dstPk: receiver.node.publicKey,
      topic,
      payload,
    };
    for (let copy = 0; copy <= this.switches.duplicates; copy += 1) {
      const [die = 0] = random.bytes(1);
      if (die / 256 >= this.switches.lossRate) void this.#deliver(sender, receiver, message, replyTo !== null);
    }
    return id;
  }

  #sourceOf(from: PlayNode, receiver: PlayNode): PlayNode {
    if (this.switches.sourceKey === 'true') return from;
    return this.nodes().find((node) => node !== from && node !== receiver) ?? from;
  }

  async #deliver(sender: Daemon, receiver: Daemon, message: Message, isReply: boolean): Promise<void> {
    const { delayMs } = this.switches;
    if (delayMs > 0) await this.#options.clock.sleep(delayMs, this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    const sent = sender.sent.get(message.id);
    if (sent?.state === 'pending') sent.state = 'received';
    receiver.arrived.unshift(message);
    receiver.arrived.splice(INBOX_MAX);
    const waiter = isReply ? receiver.replyWaiters.get(message.id) : undefined;
    if (waiter) {
      receiver.replyWaiters.delete(message.id);
      waiter(message);
      return;
    }
    // A reply has the id of what it answers: a second one is dropped while the first was not fetched.
    if (receiver.inbox.some(({ id }) => id === message.id)) return;
    receiver.inbox.push(message);
    receiver.inbox.splice(0, receiver.inbox.length - INBOX_MAX);
    for (const wake of receiver.inboxWaiters) wake();
  }

  /** Waits for the reply to a message. Null: none in time. Others may ask the daemon meanwhile. */
  async replyTo(node: PlayNode, id: string, waitMs: number): Promise<Message | null> {
    const { replyWaiters } = this.#daemon(node);
    const over = new AbortController();
    let reply: Message | null = null;
    replyWaiters.set(id, (message) => {
      reply = message;
      over.abort();
    });
    await this.#options.clock.sleep(waitMs, AbortSignal.any([over.signal, this.#closing.signal]));
    replyWaiters.delete(id);
    return reply;
  }

  /** Runs while nobody else asks this node's daemon: so does the real one, whose other callers wait as long. */
  async alone<T>(node: PlayNode, run: () => Promise<T> | T): Promise<T> {
    const daemon = this.#daemon(node);
    const before = daemon.lock;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    daemon.lock = promise;
    await before;
    try {
      return await run();
    } finally {
      resolve(undefined);
    }
  }

  /**
   * The first message in the inbox, or the first of a topic: the very same topic, not one that begins so. Null: none in time.
   * As in the real daemon a message that is asked for by its topic is taken out even when it was only to be looked at, and its
   * sender is not told that it was read.
   */
  async take(
    node: PlayNode,
    asked: { readonly peek: boolean; readonly waitMs: number; readonly topic: Buffer | null },
  ): Promise<Message | null> {
    const { clock } = this.#options;
    const daemon = this.#daemon(node);
    const untilMs = clock.now().getTime() + asked.waitMs;
    for (;;) {
      const found = this.#find(daemon, asked.topic, asked.peek);
      const leftMs = untilMs - clock.now().getTime();
      if (found !== null || leftMs <= 0 || this.#closing.signal.aborted) return found;
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      daemon.inboxWaiters.add(wake);
      await clock.sleep(leftMs, AbortSignal.any([woken.signal, this.#closing.signal]));
      daemon.inboxWaiters.delete(wake);
    }
  }

  #find(daemon: Daemon, topic: Buffer | null, peek: boolean): Message | null {
    const index = daemon.inbox.findIndex((message) => topic === null || message.topic.equals(topic));
    const found = daemon.inbox[index] ?? null;
    if (found === null || (peek && topic === null)) return found;
    daemon.inbox.splice(index, 1);
    if (topic === null) this.#tellRead(found);
    return found;
  }

  #tellRead({ id, srcPk }: Message): void {
    const sender = [...this.#daemons.values()].find(({ node }) => node.publicKey === srcPk);
    const sent = sender?.sent.get(id);
    if (sent?.state === 'received') sent.state = 'read';
  }

  status(node: PlayNode, id: string): object | null {
    const sent = this.#daemon(node).sent.get(id);
    if (sent === undefined) return null;
    const deadlineMs = sent.createdMs + SEND_WINDOW_MS;
    if (sent.state === 'pending' && this.#options.clock.now().getTime() > deadlineMs) sent.state = 'aborted';
    return {
      dst: shortened(sent.dst),
      state: sent.state,
      created: Math.floor(sent.createdMs / 1_000),
      deadline: Math.floor(deadlineMs / 1_000),
      msgLen: sent.bytes,
    };
  }

  /** What came to a node, newest first, fetched or not. */
  arrived(node: PlayNode): readonly Message[] {
    return this.#daemon(node).arrived;
  }

  close(): void {
    this.#closing.abort();
  }

  #daemon({ name }: PlayNode): Daemon {
    const daemon = this.#daemons.get(name);
    if (daemon === undefined) throw new Error(`no such node: ${name}`);
    return daemon;
  }
}
