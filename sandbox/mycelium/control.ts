import { z } from 'zod';
import type { MyceliumSandbox } from './network.ts';
import { eightGroups, shortened, subnetOf, type PlayNode } from './node.ts';
import { calm, faultSchema, switchesSchema } from './switches.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const nodeSchema = z.strictObject({ name: z.string() });
const messageSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  topic: z.string().default(''),
  text: z.string(),
  reply_to: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .nullable()
    .default(null),
});

/** `/_sandbox/…`: what a test or a smoke run says to the simulator besides being its client. JSON in, JSON out. */
export function control(sandbox: MyceliumSandbox, method: string, path: string, body: string): ControlAnswer {
  try {
    return route(sandbox, `${method} ${path.slice('/_sandbox/'.length)}`, body === '' ? {} : JSON.parse(body));
  } catch (error) {
    if (error instanceof z.ZodError) return no(400, z.prettifyError(error));
    if (error instanceof SyntaxError) return no(400, 'not JSON');
    throw error;
  }
}

function route(sandbox: MyceliumSandbox, asked: string, sent: unknown): ControlAnswer {
  const { switches } = sandbox;
  switch (asked) {
    case 'GET switches':
      return yes(switches);
    case 'POST switches':
      return yes(Object.assign(switches, switchesSchema.partial().parse(sent)));
    case 'DELETE switches':
      return yes(Object.assign(switches, calm()));
    case 'POST faults':
      switches.faults.push(faultSchema.parse(sent));
      return yes(switches);
    case 'GET nodes':
      return yes({ nodes: sandbox.nodes().map((node) => describe(sandbox, node)) });
    case 'POST nodes': {
      const added = sandbox.add(nodeSchema.parse(sent).name);
      return added === null ? no(400, 'no name for a node, or there are enough') : yes(describe(sandbox, added));
    }
    case 'POST messages': {
      const { from, to, topic, text, reply_to: replyTo } = messageSchema.parse(sent);
      const sender = sandbox.node(from);
      const groups = eightGroups(to);
      if (sender === null || groups === null) return no(404, 'no such node, or no address');
      const message = { to: groups, topic: Buffer.from(topic), payload: Buffer.from(text), replyTo };
      return { status: 201, body: { id: sandbox.send(sender, message) } };
    }
    case 'GET journal':
      return yes({ requests: sandbox.requests });
    default:
      return no(404, `No such control: ${asked}`);
  }
}

const describe = (sandbox: MyceliumSandbox, node: PlayNode): object => ({
  name: node.name,
  address: shortened(node.address),
  subnet: subnetOf(node),
  public_key: node.publicKey,
  arrived: sandbox.arrived(node).map(({ id, srcIp, topic, payload }) => ({
    id,
    from: shortened(srcIp),
    topic: topic.toString('utf8'),
    text: payload.toString('utf8'),
  })),
});

const yes = (body: object): ControlAnswer => ({ status: 200, body });
const no = (status: number, message: string): ControlAnswer => ({ status, body: { error: message } });
