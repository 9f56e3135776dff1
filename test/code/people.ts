import { expect } from 'vitest';
import type { Answer, TestSite } from '../transport/site.ts';
import type { Person } from '../organisation/people.ts';

let keys = 0;
export const newKey = (): string => `code-${(keys += 1)}`;

/** A code as an admin makes it: five dollars, once for each of a hundred, unless said otherwise. */
export async function newCode(site: TestSite, wish: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const body = { description: 'A welcome', amount: '5.00', uses_max: 100, ...wish };
  const { status, json, text } = await site.operator('POST', '/v1/codes', body);
  if (status !== 201) throw new Error(text);
  return json;
}

export const redeem = (who: Person, code: unknown, key = newKey(), walletSid = who.walletSid): Promise<Answer> =>
  who.as('POST', `/v1/billings/${walletSid}/codes`, { code }, key);

/** What a wallet holds and was paid: nothing of either comes of a code. */
export async function expectPaidNothing(who: Person): Promise<void> {
  const { json } = await who.as('GET', `/v1/billings/${who.walletSid}`);
  expect(json).toMatchObject({ credit_balance: '0.00', lifetime_paid_cents: 0 });
}
