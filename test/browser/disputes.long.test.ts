import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { Dispute, Page as ListPage, Payment } from '../../web/surface.ts';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn, signInAsOperator, goTo } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

/** A customer by this name has paid 25.00, and their bank disputes a part of it. */
async function disputed(name: string): Promise<Dispute> {
  const signedIn = await ask<{ token: string }>('/login/sandbox', { name });
  const headers = { authorization: `Bearer ${signedIn.token}`, 'idempotency-key': crypto.randomUUID() };
  const payment = await ask<Payment>('/v1/payments', { provider: 'stripe', amount: '25.00' }, headers);
  const session = /cs_test_[A-Za-z0-9]+/.exec(payment.checkout_url ?? '')?.[0] ?? '';
  await stage.server.control(`sessions/${session}/complete`, { outcome: 'paid' });
  await stage.server.control('disputes', { about: session, amountCents: 1_000 });
  for (;;) {
    const { items } = await stage.server.asOperator<ListPage<Dispute>>('/v1/disputes?state=open');
    const own = items.find((dispute) => dispute.payment_sid === payment.sid);
    if (own) return own;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

async function ask<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${stage.server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'disputes, one of them with its evidence, and what its customer is told',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      const dispute = await disputed(`Dora ${look}`);
      await signInAsOperator(page);
      await goTo(page, 'Money', 'Disputes');
      await page.getByRole('link', { name: dispute.dispute_ref }).waitFor();
      await expectSound(page, `disputes-${look}`);
      await page.getByText('Lost', { exact: true }).click();
      await page.getByText('None was lost').waitFor();
      await page.getByText('Open', { exact: true }).first().click();
      await page.getByRole('link', { name: dispute.dispute_ref }).click();
      await page.getByText('The wallet is frozen because of this dispute').waitFor();
      await page.getByText('dispute.converge').waitFor();
      await expectSound(page, `dispute-${look}`);
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download evidence' }).click();
      const file = await download;
      expect(file.suggestedFilename()).toBe(`evidence-${dispute.sid}.txt`);
      expect(await readFile(await file.path(), 'utf8')).toContain(dispute.dispute_ref);

      await page.getByRole('button', { name: 'Accept the loss…' }).click();
      await page.getByText(/This cannot be taken back/).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Hand in evidence…' }).click();
      await page.getByRole('button', { name: 'Hand it in' }).click();
      await page.getByText('Say in a sentence why the payment was the customer’s own.').first().waitFor();
      await page.getByLabel('Statement to the bank').fill('It was her own machine, paid for by her before.');
      await expectSound(page, `dispute-evidence-${look}`);
      await page.getByRole('button', { name: 'Hand it in' }).click();
      await page.getByText('Evidence: the provider has it').waitFor();
      await page.getByText('The provider takes no answer to this dispute any more').waitFor();
      await expectSound(page, `dispute-answered-${look}`);

      const customer = await open(scheme, width);
      await signIn(customer, `Dora ${look}`);
      await customer.getByText('Your bank disputes a payment of yours').waitFor();
      await customer.getByText('Nothing can be spent from this wallet').waitFor();
      await expectSound(customer, `wallet-disputed-${look}`);
    },
  );
});
