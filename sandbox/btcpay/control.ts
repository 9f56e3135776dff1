import { z } from 'zod';
import type { Invoice, Payment } from './books.ts';
import { parseCents, satsFor } from './coin.ts';
import type { BtcpaySandbox } from './sandbox.ts';
import { faultSchema, switchesSchema } from './switches.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly body: object;
}

const signing = { secret: z.string().optional(), copies: z.number().int().min(0).max(1000).optional() };

/** What is paid: all that is due, so many sats, or what so many dollars cost at the invoice's rate. */
const paySchema = z.strictObject({
  sats: z.number().int().positive().optional(),
  usd: z.string().optional(),
  method: z.enum(['BTC-CHAIN', 'BTC-LN']).optional(),
  confirms: z.boolean().optional(),
  id: z.string().optional(),
});
const confirmSchema = z.strictObject({ blocks: z.number().int().positive().max(1000).optional() });
const markSchema = z.strictObject({ status: z.enum(['Settled', 'Invalid']) });
const claimSchema = z.strictObject({
  destination: z.string().min(1).default('bcrt1qcustomer'),
  amount: z.number().int().positive().optional(),
});
const moveSchema = z.strictObject({ state: z.enum(['AwaitingPayment', 'InProgress', 'Completed', 'Cancelled']) });
const resendSchema = z.strictObject(signing);
const forgeSchema = z.strictObject({
  type: z.string().min(1),
  facts: z.record(z.string(), z.unknown()).default({}),
  ...signing,
});

/** `/_sandbox/…`: what a test or a smoke run says to the simulator besides being its customer. JSON in, JSON out. */
export async function control(
  sandbox: BtcpaySandbox,
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
  sandbox: BtcpaySandbox,
  method: string,
  path: string,
  body: unknown,
): Promise<ControlAnswer | null> {
  const [, , noun = '', id = '', verb = ''] = path.split('/');
  if (method === 'POST' && noun === 'invoices')
    return controlInvoice(sandbox, sandbox.books.invoices.get(id), verb, body);
  if (method === 'POST' && noun === 'payments')
    return controlPayment(sandbox, sandbox.books.payments.get(id), verb, body);
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
    case 'POST pull-payments/{id}/claim':
      return claim(sandbox, id, body);
    case 'POST payouts/{id}/move': {
      const payout = sandbox.books.payouts.get(id);
      return payout === undefined
        ? no(404, 'No such payout')
        : did(sandbox.refunds.move(payout, moveSchema.parse(body).state));
    }
    case 'POST events':
      return { status: 201, body: { id: sandbox.forge(forgeSchema.parse(body)) } };
    case 'POST events/{id}/deliver':
      return sandbox.resend(id, resendSchema.parse(body)) ? yes({ result: 'done' }) : no(404, 'No such event');
    case 'POST deliveries/{id}':
      return controlDeliveries(sandbox, id);
    default:
      return null;
  }
}

function controlInvoice(
  sandbox: BtcpaySandbox,
  invoice: Invoice | undefined,
  verb: string,
  body: unknown,
): ControlAnswer | null {
  if (invoice === undefined) return no(404, 'No such invoice');
  switch (verb) {
    case 'pay': {
      const { usd, sats, ...rest } = paySchema.parse(body);
      const cents = usd === undefined ? undefined : parseCents(usd);
      if (cents === null) return no(400, 'usd must be an amount such as "12.50"');
      const worth = cents === undefined ? undefined : satsFor(cents, invoice.rateCents);
      const payment = sandbox.pay(invoice, { ...rest, sats: sats ?? worth });
      return payment === null ? no(409, 'Nobody watches this invoice any more') : yes(payment);
    }
    case 'mark':
      return did(sandbox.invoices.mark(invoice, markSchema.parse(body).status));
    case 'expire':
      return did(sandbox.invoices.expire(invoice));
    case 'invalidate':
      return did(sandbox.invoices.invalidate(invoice));
    default:
      return null;
  }
}

function controlPayment(
  sandbox: BtcpaySandbox,
  payment: Payment | undefined,
  verb: string,
  body: unknown,
): ControlAnswer | null {
  if (payment === undefined) return no(404, 'No such payment');
  switch (verb) {
    case 'confirm':
      sandbox.invoices.confirm(payment, confirmSchema.parse(body).blocks);
      return yes(payment);
    case 'revert':
      sandbox.invoices.revert(payment);
      return yes(payment);
    case 'reorganise':
      sandbox.invoices.reorganise(payment);
      return yes(payment);
    default:
      return null;
  }
}

function claim(sandbox: BtcpaySandbox, id: string, body: unknown): ControlAnswer {
  const pullPayment = sandbox.books.pullPayments.get(id);
  if (pullPayment === undefined) return no(404, 'No such pull payment');
  const { destination, amount } = claimSchema.parse(body);
  const payout = sandbox.claim(pullPayment, { destination, ...(amount === undefined ? {} : { amount }) });
  return typeof payout === 'string' ? no(409, payout) : yes(payout);
}

async function controlDeliveries(sandbox: BtcpaySandbox, verb: string): Promise<ControlAnswer | null> {
  if (verb !== 'flush' && verb !== 'settle') return null;
  sandbox.deliveries.flush();
  if (verb === 'settle') await sandbox.deliveries.settled();
  return yes({ deliveries: sandbox.deliveries.all });
}

const yes = (body: object): ControlAnswer => ({ status: 200, body });
const no = (status: number, message: string): ControlAnswer => ({ status, body: { error: message } });
const did = (isDone: boolean): ControlAnswer => (isDone ? yes({ result: 'done' }) : no(409, 'Not in this state'));

/** No body at all is an empty object; undefined (refused by every schema) when it is not JSON. */
function parse(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
