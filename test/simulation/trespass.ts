import type { Chance } from './random.ts';

type Call = readonly [operation: string, input: Readonly<Record<string, unknown>>];

/** Something that is for operators only or about another one's wallet. */
export function drawTrespass(
  chance: Chance,
  known: { readonly sid: string; readonly payments: readonly string[]; readonly holds: readonly string[] },
): Call {
  const { sid } = known;
  const [payment] = known.payments;
  const [hold] = known.holds;
  const calls: Call[] = [
    ['billing.debit', { sid, amount: '0.01', description: 'deed' }],
    ['billing.adjust', { sid, balance_cents: 99_999, reason: 'deed' }],
    ['billing.freeze', { sid, is_frozen: true, reason: 'deed' }],
    ['hold.reserve', { wallet_sid: sid, amount: '0.01', description: 'deed', expires_in_seconds: 60 }],
    ['billing.get', { sid }],
    ['billing.statement', { sid, limit: 7 }],
    ['payment.list', { wallet_sid: sid, limit: 7 }],
    ['payment.create', { provider: 'stripe', amount: '10.00', wallet_sid: sid }],
  ];
  if (payment !== undefined) calls.push([chance.is(0.5) ? 'payment.check' : 'payment.get', { sid: payment }]);
  if (hold !== undefined) calls.push(['hold.get', { sid: hold }]);
  return chance.pick(calls);
}
