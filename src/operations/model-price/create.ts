import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { parseScaled } from '../../domain/usage/decimal.ts';
import { PER_MILLION_DECIMALS } from '../../domain/usage/model-price.ts';
import { writeAudit } from '../../store/audit.ts';
import { insertModelPrice, lockFirst } from '../../store/model-price.ts';
import { operation } from '../operation.ts';
import { resourceKindField } from '../price/price.ts';
import { instant } from '../schema.ts';
import { modelPriceSchema, providerField, toModelPrice } from './model-price.ts';

/** A million dollars a million tokens is a slip. */
const AMOUNT_MAX = 10n ** 12n;
const perMillion = z.string().describe('US dollars a million tokens, as decimal text with at most 6 decimals.');

export const modelPriceCreate = operation({
  name: 'model-price.create',
  summary: 'Set what the tokens of a model cost us from an instant on',
  description:
    'For providers whose answers do not say what a call cost: a usage record with tokens and no cost is priced by this, then like any other ' +
    'cost. A price is never edited: this one counts for what happens from `active_from` on, until there is a later one.',
  http: { method: 'post', path: '/v1/model-prices', status: 201 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({
    provider: providerField,
    model: resourceKindField.describe('As usage records name it in resource_kind.'),
    input: perMillion,
    cached_input: perMillion
      .optional()
      .describe('Of input that the provider had cached; the price of input if left out.'),
    output: perMillion,
    active_from: instant
      .optional()
      .describe(
        'Now if left out. In the past for the first price of a model only, so that calls that wait for it can be sent again.',
      ),
  }),
  output: modelPriceSchema,
  refusals: ['state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    const now = ports.clock.now();
    const amounts = readAmounts(input);
    if ('refusal' in amounts) return amounts.refusal;
    const activeFrom = input.active_from === undefined ? now : new Date(input.active_from);
    const { provider, model } = input;
    const price = { sid: ports.ids.sid(), provider, model, ...amounts, activeFrom, createdAt: now };
    return db.transaction('model-price.create', async (tx) => {
      if (activeFrom < now && !(await lockFirst(tx, price))) return invalid('active_from', NOT_PAST);
      if (!(await insertModelPrice(tx, price, call.actor.id)))
        return refuse('state_conflict', 'The model has a price from this very instant on already.');
      await writeAudit(tx, {
        sid: ports.ids.sid(),
        at: now,
        actor: call.actor.id,
        action: 'model-price.create',
        subject: price.sid,
        outcome: 'done',
        reason: null,
        before: null,
        after: { ...toModelPrice(price) },
        requestId: call.requestId,
      });
      return toModelPrice(price);
    });
  },
});

const NOT_PAST = 'must not be in the past: the model has a price already, and what was charged stays charged';

interface Amounts {
  readonly input: bigint;
  readonly cachedInput: bigint;
  readonly output: bigint;
}

function readAmounts(asked: {
  readonly input: string;
  readonly cached_input?: string | undefined;
  readonly output: string;
}): Amounts | { readonly refusal: Refusal } {
  const input = amountOf(asked.input);
  const cachedInput = amountOf(asked.cached_input ?? asked.input);
  const output = amountOf(asked.output);
  if (input === null) return { refusal: invalid('input', AMOUNT) };
  if (cachedInput === null) return { refusal: invalid('cached_input', AMOUNT) };
  return output === null ? { refusal: invalid('output', AMOUNT) } : { input, cachedInput, output };
}

const AMOUNT = 'must be US dollars a million tokens as decimal text with at most 6 decimals, at most 1000000';

function amountOf(text: string): bigint | null {
  const amount = parseScaled(text, PER_MILLION_DECIMALS);
  return amount === null || amount > AMOUNT_MAX ? null : amount;
}

const invalid = (field: string, detail: string): Refusal =>
  refuse('invalid_request', 'The price is not valid.', { errors: [{ pointer: `#/${field}`, detail }] });
