import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { RECHARGE_CONSENT, RECHARGE_CONSENT_VERSION } from '../../domain/card/consent.ts';
import { formatDecimal, isWholeCents, parseDecimal, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { lockAutoRecharge, saveAutoRecharge } from '../../store/auto-recharge.ts';
import { lockCustomer, setDefaultCard } from '../../store/card.ts';
import type { Tx } from '../../store/db.ts';
import { recordAudit } from '../audit/record.ts';
import { cardRefField, findCard, walletField, type OwnCard } from '../card/card.ts';
import type { HouseSettings } from '../house.ts';
import { operation, type Call } from '../operation.ts';
import { amountField } from '../schema.ts';
import { autoRechargeSchema, readAutoRechargeOf } from './auto-recharge.ts';

export const autoRechargeSet = operation({
  name: 'auto-recharge.set',
  summary: 'Have a saved card fill your wallet when it runs low',
  description: `Only the owner of a wallet can. ${RECHARGE_CONSENT} Sent again it changes the amounts and tries again at once.`,
  http: { method: 'post', path: '/v1/auto-recharge', status: 200 },
  access: 'user',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: walletField,
    threshold: amountField.describe('Below this balance the card is charged. Whole cents.'),
    target: amountField.describe('What the wallet holds afterwards: at least the smallest top-up above the threshold.'),
    monthly_cap: amountField.describe('What charges of a calendar month (UTC) may come to.'),
    card_ref: cardRefField.optional().describe('The card to charge; the default one, or the newest, when left out.'),
    agrees_to: z
      .string()
      .max(40)
      .describe(`The version of the text that the owner has agreed to: ${RECHARGE_CONSENT_VERSION}.`),
  }),
  output: autoRechargeSchema,
  refusals: ['forbidden', 'not_found', 'amount_out_of_range', 'unavailable', 'provider_error', 'provider_timeout'],
  async run(call, input) {
    const { house, actor } = call;
    if (actor.kind !== 'user') {
      return refuse('forbidden', 'Only the owner of a wallet can agree to have a card charged. You can switch it off.');
    }
    if (input.agrees_to !== RECHARGE_CONSENT_VERSION) {
      const errors = [{ pointer: '#/agrees_to', detail: `must be ${RECHARGE_CONSENT_VERSION}, the text as it is now` }];
      return refuse('invalid_request', 'Agree to the present text first; auto-recharge.get has it.', { errors });
    }
    const wish = readWish(input, house.settings);
    if (isRefusal(wish)) return wish;
    const own = await findCard(call, input);
    if (isRefusal(own)) return own;
    return await house.db.transaction('auto-recharge.set', async (tx) => {
      await save(tx, call, own, wish);
      await house.jobs.enqueue(tx, 'auto-recharge.run', { sid: own.wallet.sid });
      return await readAutoRechargeOf(tx, own.wallet, house.ports.clock.now());
    });
  },
});

interface Wish {
  readonly threshold: Micros;
  readonly target: Micros;
  readonly monthlyCap: Micros;
}

function readWish(
  input: { readonly threshold: string; readonly target: string; readonly monthly_cap: string },
  { topUpMin, topUpMax }: HouseSettings,
): Wish | Refusal {
  const [threshold, target, monthlyCap] = [input.threshold, input.target, input.monthly_cap].map((text) => {
    const amount = parseDecimal(text);
    assert(amount !== null, 'the schema has the grammar of parseDecimal');
    return amount;
  });
  assert(threshold !== undefined && target !== undefined && monthlyCap !== undefined, 'three amounts were read');
  const errors = [
    ...[threshold, target, monthlyCap].flatMap((amount, index) =>
      isWholeCents(amount) ? [] : [{ pointer: POINTERS[index] ?? '#', detail: 'must be whole cents' }],
    ),
    ...(target < threshold + topUpMin
      ? [{ pointer: '#/target', detail: `must be at least ${formatDecimal(topUpMin)} above the threshold` }]
      : []),
    ...(target > threshold + topUpMax
      ? [{ pointer: '#/target', detail: `must be at most ${formatDecimal(topUpMax)} above the threshold` }]
      : []),
    ...(monthlyCap < topUpMin
      ? [{ pointer: '#/monthly_cap', detail: `must be at least ${formatDecimal(topUpMin)}` }]
      : []),
    ...(monthlyCap > AMOUNT_MAX ? [{ pointer: '#/monthly_cap', detail: 'is too much' }] : []),
    ...(threshold > AMOUNT_MAX ? [{ pointer: '#/threshold', detail: 'is too much' }] : []),
  ];
  if (errors.length === 0) return { threshold, target, monthlyCap };
  return refuse('amount_out_of_range', 'These amounts do not fit together.', { errors });
}

const POINTERS = ['#/threshold', '#/target', '#/monthly_cap'] as const;
/** A million dollars: no wish, but a slip. */
const AMOUNT_MAX = 1_000_000_000_000n;

/** A wish of the owner's ends every wait: they may have put the card right. */
async function save(tx: Tx, call: Call, own: OwnCard, wish: Wish): Promise<void> {
  const { customer, card, wallet, provider, account } = own;
  const now = call.house.ports.clock.now();
  await lockCustomer(tx, customer);
  await setDefaultCard(tx, customer, card.cardRef);
  const before = await lockAutoRecharge(tx, wallet.id);
  await saveAutoRecharge(tx, {
    wallet: wallet.id,
    provider: provider.name,
    providerAccount: account.id,
    ...wish,
    state: 'on',
    reason: null,
    declines: 0,
    notBefore: null,
    lastPaymentSid: before?.lastPaymentSid ?? null,
    consent: RECHARGE_CONSENT_VERSION,
    consentedAt: now,
    updatedAt: now,
  });
  await recordAudit(tx, call, {
    action: 'auto-recharge.set',
    subject: wallet.sid,
    before: before && {
      state: before.state,
      threshold: formatDecimal(before.threshold),
      target: formatDecimal(before.target),
      monthly_cap: formatDecimal(before.monthlyCap),
    },
    after: {
      state: 'on',
      threshold: formatDecimal(wish.threshold),
      target: formatDecimal(wish.target),
      monthly_cap: formatDecimal(wish.monthlyCap),
      card_ref: card.cardRef,
      agreed_to: RECHARGE_CONSENT_VERSION,
    },
  });
}
