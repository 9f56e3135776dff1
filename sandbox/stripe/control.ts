import { z } from 'zod';
import { BEHAVIOURS, TEST_CARD_NAMES } from './cards.ts';
import { ApiError } from './api-error.ts';
import { payOut, payOutSchema } from './balance.ts';
import { disputeObject, moveDispute, moveDisputeSchema, openDispute, openDisputeSchema } from './disputes.ts';
import { endRefundSchema, openRefundSchema, refundObject } from './refunds.ts';
import type { StripeSandbox } from './sandbox.ts';
import { faultSchema, switchesSchema } from './switches.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const signing = { secret: z.string().optional(), offsetSeconds: z.number().int().optional() };
const copies = z.number().int().min(0).max(1000).optional();

const completeSchema = z.strictObject({
  outcome: z.enum(['paid', 'declined', 'later', 'later-succeeds', 'later-fails']).default('paid'),
  card: z.enum(TEST_CARD_NAMES).default('visa'),
});
const cardSchema = z.strictObject({ behaviour: z.enum(BEHAVIOURS) });
const settleSchema = z.strictObject({ paid: z.boolean().default(true) });
const resendSchema = z.strictObject({ ...signing, copies });
const forgeSchema = z.strictObject({
  type: z.string().min(1),
  about: z.string().optional(),
  object: z.record(z.string(), z.unknown()).optional(),
  id: z.string().optional(),
  created: z.number().int().optional(),
  livemode: z.boolean().optional(),
  account: z.string().optional(),
  ...signing,
  copies,
});

/** `/_sandbox/…`: what a test or a smoke run says to the simulator besides being its customer. JSON in, JSON out. */
export async function control(
  sandbox: StripeSandbox,
  method: string,
  path: string,
  body: string,
): Promise<ControlAnswer> {
  try {
    return (await route(sandbox, method, path, parse(body))) ?? no(404, `No such control: ${method} ${path}`);
  } catch (error) {
    if (error instanceof z.ZodError) return no(400, z.prettifyError(error));
    if (error instanceof ApiError) return no(error.status, error.message);
    throw error;
  }
}

async function route(
  sandbox: StripeSandbox,
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
    case 'POST sessions/{id}/complete':
      return complete(sandbox, id, completeSchema.parse(body));
    case 'POST cards/{id}':
      return did(sandbox.turnCard(id, cardSchema.parse(body).behaviour));
    case 'POST payment_intents/{id}/settle':
      return did(sandbox.settleIntent(id, settleSchema.parse(body).paid));
    case 'POST sessions/{id}/settle':
      return did(sandbox.settle(id, settleSchema.parse(body).paid));
    case 'POST sessions/{id}/expire':
      return did(sandbox.expire(id));
    case 'POST payouts':
      return { status: 201, body: payOut(sandbox.state, payOutSchema.parse(body)) };
    case 'POST disputes': {
      const dispute = openDispute(sandbox.state, openDisputeSchema.parse(body));
      return dispute === null ? no(404, 'No such charge') : { status: 201, body: disputeObject(dispute) };
    }
    case 'POST disputes/{id}/move': {
      const dispute = sandbox.state.disputes.get(id);
      if (dispute === undefined) return no(404, 'No such dispute');
      moveDispute(sandbox.state, dispute, moveDisputeSchema.parse(body));
      return yes(disputeObject(dispute));
    }
    case 'POST refunds': {
      const refund = sandbox.refund(openRefundSchema.parse(body));
      return refund === null ? no(404, 'No such charge') : { status: 201, body: refundObject(refund) };
    }
    case 'POST refunds/{id}/end':
      return did(sandbox.endRefund(id, endRefundSchema.parse(body)));
    case 'POST events': {
      const eventId = sandbox.forge(forgeSchema.parse(body));
      return eventId === null ? no(404, 'No such object') : { status: 201, body: { id: eventId } };
    }
    case 'POST events/{id}/deliver':
      return sandbox.resend(id, resendSchema.parse(body)) ? yes({ result: 'done' }) : no(404, 'No such event');
    case 'POST deliveries/{id}':
      return controlDeliveries(sandbox, id);
    default:
      return null;
  }
}

const complete = (
  sandbox: StripeSandbox,
  id: string,
  { outcome, card }: z.infer<typeof completeSchema>,
): ControlAnswer => did(sandbox.complete(id, outcome, card));

async function controlDeliveries(sandbox: StripeSandbox, verb: string): Promise<ControlAnswer | null> {
  if (verb !== 'flush' && verb !== 'settle') return null;
  sandbox.deliveries.flush();
  if (verb === 'settle') await sandbox.deliveries.settled();
  return yes({ deliveries: sandbox.deliveries.all });
}

const yes = (body: object): ControlAnswer => ({ status: 200, body });
const no = (status: number, message: string): ControlAnswer => ({ status, body: { error: message } });

function did(result: string): ControlAnswer {
  if (result === 'done') return yes({ result });
  return { status: result === 'unknown' ? 404 : 409, body: { result } };
}

/** No body at all is an empty object; undefined (refused by every schema) when it is not JSON. */
function parse(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
