import { z } from 'zod';
import type { ClickPesaSandbox } from './sandbox.ts';
import { faultSchema, switchesSchema } from './switches.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const signing = { key: z.string().optional(), checksum: z.enum(['canonical', 'legacy', 'none']).optional() };
const copies = z.number().int().min(0).max(1000).optional();
const phone = z
  .string()
  .regex(/^255[0-9]{9}$/)
  .optional();

const paymentStatus = z.enum([
  'PENDING',
  'PROCESSING',
  'ON-HOLD',
  'SUCCESS',
  'SETTLED',
  'FAILED',
  'REFUNDED',
  'REVERSED',
]);
const paySchema = z.strictObject({ status: paymentStatus.default('SUCCESS'), phone });
const becomeSchema = z.strictObject({ status: paymentStatus });
const payoutSchema = z.strictObject({
  status: z.enum(['AUTHORIZED', 'PROCESSING', 'SUCCESS', 'REFUNDED', 'REVERSED', 'FAILED']),
});
const forgeSchema = z.strictObject({ payload: z.record(z.string(), z.unknown()), ...signing, copies });
const resendSchema = z.strictObject({ ...signing, copies });

/** `/_sandbox/…`: what a test or a smoke run says to the simulator besides being its customer. JSON in, JSON out. */
export async function control(
  sandbox: ClickPesaSandbox,
  method: string,
  path: string,
  body: string,
): Promise<ControlAnswer> {
  try {
    return (await route(sandbox, method, path, parse(body))) ?? no(404, `No such control: ${method} ${path}`);
  } catch (error) {
    if (error instanceof z.ZodError) return no(400, z.prettifyError(error));
    throw error;
  }
}

async function route(
  sandbox: ClickPesaSandbox,
  method: string,
  path: string,
  body: unknown,
): Promise<ControlAnswer | null> {
  const [, , noun = '', id = '', verb = ''] = path.split('/');
  switch (`${method} ${noun}${id === '' ? '' : '/{id}'}${verb === '' ? '' : `/${verb}`}`) {
    case 'GET switches':
      return yes(sandbox.switches);
    case 'POST switches':
      return yes(sandbox.turn(switchesSchema.partial().parse(body)));
    case 'DELETE switches':
      return yes(sandbox.calm());
    case 'POST faults':
      sandbox.switches.faults.push(faultSchema.parse(body));
      return yes(sandbox.switches);
    case 'GET journal':
      return yes(sandbox.journal());
    case 'POST links/{id}/pay': {
      const { status, phone: number } = paySchema.parse(body);
      return orMissing(sandbox.pay(id, status, number), 'link');
    }
    case 'POST payments/{id}/become':
      return did(sandbox.become(id, becomeSchema.parse(body).status), 'payment');
    case 'POST payouts/{id}/become':
      return did(sandbox.payoutBecomes(id, payoutSchema.parse(body).status), 'payout');
    case 'POST events': {
      const { payload, copies: count, ...how } = forgeSchema.parse(body);
      return { status: 201, body: { id: sandbox.forge(payload, how, count) } };
    }
    case 'POST events/{id}/deliver': {
      const { copies: count, ...how } = resendSchema.parse(body);
      return did(sandbox.resend(id, how, count), 'event');
    }
    case 'POST tokens/{id}':
      if (id !== 'revoke') return null;
      sandbox.api.revokeTokens();
      return yes({ result: 'done' });
    case 'POST deliveries/{id}':
      return controlDeliveries(sandbox, id);
    default:
      return null;
  }
}

async function controlDeliveries(sandbox: ClickPesaSandbox, verb: string): Promise<ControlAnswer | null> {
  if (verb !== 'flush' && verb !== 'settle') return null;
  sandbox.deliveries.flush();
  if (verb === 'settle') await sandbox.deliveries.settled();
  return yes({ deliveries: sandbox.deliveries.all });
}

const yes = (body: object): ControlAnswer => ({ status: 200, body });
const no = (status: number, message: string): ControlAnswer => ({ status, body: { error: message } });
const did = (isDone: boolean, noun: string): ControlAnswer =>
  isDone ? yes({ result: 'done' }) : no(404, `No such ${noun}`);
const orMissing = (found: object | null, noun: string): ControlAnswer =>
  found === null ? no(404, `No such ${noun}`) : yes(found);

/** No body at all is an empty object; undefined (refused by every schema) when it is not JSON. */
function parse(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
