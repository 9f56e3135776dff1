import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page as ListPage, Billing, WebhookEvent } from '../../web/surface.ts';
import { launchBrowser } from './browser.ts';
import { startSandboxServer } from './server.ts';
import type { SandboxServer } from './server.ts';
import { balanceOf, expectSound, photograph, sees, signIn, signInAsOperator, startTopUp, visit } from './visitor.ts';
import type { Scheme } from './visitor.ts';

let server: SandboxServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startSandboxServer(), launchBrowser()]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
}, 60_000);

const LOOKS: readonly (readonly [Scheme, number])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 360],
  ['dark', 360],
];

/** Tells the story once in each colour scheme and width, each time as somebody new. */
function eachLook(name: string, tell: (page: Page, look: string) => Promise<void>): void {
  test.each(LOOKS)(`${name}, %s, %i px wide`, { timeout: 120_000 }, async (scheme, width) => {
    const look = `${scheme}-${width}`;
    const visitor = await visit(browser, { url: server.url, scheme, width });
    try {
      await tell(visitor.page, look);
      expect(visitor.complaints).toEqual([]);
    } catch (error) {
      await photograph(visitor.page, `failed-${look}`);
      throw error;
    } finally {
      await server.control('switches', { settleAfterMs: 5_000, wrong: {} });
      await visitor.leave();
    }
  });
}

async function walletOf(name: string): Promise<Billing> {
  const found = await server.asOperator<ListPage<Billing>>(`/v1/billings?search=${encodeURIComponent(name)}`);
  const [wallet] = found.items;
  if (!wallet) throw new Error(`no wallet of ${name}`);
  return wallet;
}

describe('every page is accessible and fits its window', () => {
  eachLook('sign-in, wallet and payment', async (page, look) => {
    const name = `Amina ${look}`;
    await page.goto('/');
    await page.getByLabel('Your name').waitFor();
    await expectSound(page, `sign-in-${look}`);
    await signIn(page, name);
    await expectSound(page, `wallet-empty-${look}`);
    await startTopUp(page, '25');
    await expectSound(page, `checkout-${look}`);
    await page.getByTestId('decline').click();
    await page.getByTestId('declined').waitFor();
    await expectSound(page, `checkout-declined-${look}`);
    await page.getByTestId('cancel').click();
    await sees(page, 'Waiting for your payment');
    await page.getByText('The provider was asked').waitFor();
    await expectSound(page, `payment-open-${look}`);
    await page.getByRole('link', { name: 'Continue to checkout' }).click();
    await page.getByTestId('pay').click();
    await sees(page, 'The money is in the wallet');
    await expectSound(page, `payment-credited-${look}`);
    const wallet = await walletOf(name);
    await server.asOperator(`/v1/billings/${wallet.sid}/debits`, {
      amount: '0.493875',
      description: 'LLM calls, 1,204 tokens',
    });
    await server.asOperator('/v1/holds', { wallet_sid: wallet.sid, amount: '3.00', description: 'VM web-1, one hour' });
    await startTopUp(page, '50');
    await page.goto('/wallet');
    await page.getByRole('heading', { name: 'On the way in' }).waitFor();
    expect(await balanceOf(page)).toBe('$21.50');
    await page.getByText('exactly $21.506125').waitFor();
    await expectSound(page, `wallet-${look}`);
    await page.getByRole('tab', { name: 'Payments' }).click();
    await page
      .getByRole('cell', { name: /Top-up by Stripe/ })
      .first()
      .waitFor();
    await expectSound(page, `wallet-payments-${look}`);
    await page.getByLabel('Amount in US dollars').fill('0.01');
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await page.getByText('The smallest amount is').waitFor();
    await expectSound(page, `wallet-refused-${look}`);
  });

  eachLook('payments that did not end well', async (page, look) => {
    await signIn(page, `Pavel ${look}`);
    await server.control('switches', { settleAfterMs: 2_000 });
    await startTopUp(page, '10');
    await page.getByTestId('pay-later-fails').click();
    await sees(page, 'The provider is moving the money');
    await expectSound(page, `payment-processing-${look}`);
    await sees(page, 'The payment did not go through');
    await expectSound(page, `payment-failed-${look}`);
    await startTopUp(page, '11');
    const session = /cs_[A-Za-z0-9_]+/.exec(page.url())?.[0];
    await page.getByTestId('cancel').click();
    await sees(page, 'Waiting for your payment');
    await server.control(`sessions/${session ?? 'unknown'}/expire`, {});
    await page.getByRole('button', { name: 'Check again' }).click();
    await sees(page, 'The checkout page has expired');
    await expectSound(page, `payment-expired-${look}`);
    await startTopUp(page, '12');
    await server.control('switches', { wrong: { currency: 'eur' } });
    await page.getByTestId('pay').click();
    await sees(page, 'A person has to look at this payment');
    await expectSound(page, `payment-quarantined-${look}`);
    await page.goto('/payments/01a2b3c4d5e6f7');
    await page.getByRole('alert').getByText(/./).first().waitFor();
    await expectSound(page, `payment-unknown-${look}`);
  });

  eachLook("the operator's pages", async (page, look) => {
    const name = `Olga ${look}`;
    await signIn(page, name);
    await startTopUp(page, '25');
    await page.getByTestId('pay').click();
    await sees(page, 'The money is in the wallet');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your name').waitFor();
    await signInAsOperator(page);
    await expectSound(page, `operator-wallets-${look}`);
    await page.getByLabel('Find a wallet').fill('nobody has this name');
    await page.getByText('Nothing found for').waitFor();
    await expectSound(page, `operator-wallets-nothing-${look}`);
    await page.getByLabel('Find a wallet').fill(name);
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { name, exact: true }).waitFor();
    await page.getByText('+$25.00').waitFor();
    await expectSound(page, `operator-wallet-${look}`);
    await page.getByRole('button', { name: 'Adjust balance' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Enter an amount.').waitFor();
    await page.getByText('Say why.').waitFor();
    await expectSound(page, `operator-adjust-refused-${look}`);
    await page.getByLabel('New balance in US dollars').fill('-1.00');
    await page.getByLabel('Reason').fill('A refund by hand');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('The balance will be below zero').waitFor();
    await expectSound(page, `operator-adjust-preview-${look}`);
    await page.getByRole('button', { name: /^Set balance to/ }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('−$26.00').first().waitFor();
    await expectSound(page, `operator-adjusted-${look}`);
    for (const tab of ['Payments', 'Holds', 'Audit']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('tabpanel').waitFor();
      await expectSound(page, `operator-wallet-${tab.toLowerCase()}-${look}`);
    }
    await page.getByRole('link', { name: 'Payment events' }).click();
    await page.getByText('+$25.00').first().waitFor();
    await expectSound(page, `operator-payment-events-${look}`);
    await page.getByRole('link', { name: 'Webhook events' }).click();
    await page.getByRole('heading', { name: 'Webhook events' }).waitFor();
    await expectSound(page, `operator-webhook-events-${look}`);
    await page.getByRole('button', { name: 'Applied' }).click();
    await page
      .getByRole('button', { name: /^Replay/ })
      .first()
      .waitFor();
    await expectSound(page, `operator-webhook-events-applied-${look}`);
    await page.goto('/operator/wallets/nobody');
    await page.getByRole('alert').getByText(/./).first().waitFor();
    await expectSound(page, `operator-wallet-unknown-${look}`);
  });
});

describe('an operator', () => {
  test(
    'adjusts a balance only after a preview and with a reason, which the user and the audit then show',
    { timeout: 90_000 },
    async () => {
      const user = await visit(browser, { url: server.url });
      const operator = await visit(browser, { url: server.url });
      await signIn(user.page, 'Grace Hopper');
      const wallet = await walletOf('Grace Hopper');
      const { page } = operator;
      await signInAsOperator(page);
      await page.getByLabel('Find a wallet').fill(wallet.sid);
      await page.getByRole('link', { name: 'Grace Hopper' }).click();
      await page.getByRole('button', { name: 'Adjust balance' }).click();
      await page.getByLabel('New balance in US dollars').fill('12.34');
      await page.getByLabel('Reason').fill('Welcome gift');
      await page.getByRole('button', { name: 'Preview' }).click();
      await page.getByRole('button', { name: 'Set balance to $12.34' }).waitFor();
      expect((await walletOf('Grace Hopper')).credit_balance, 'a preview writes nothing').toBe('0.00');
      await page.getByRole('button', { name: 'Set balance to $12.34' }).dblclick();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByText('+$12.34').waitFor();
      expect(await balanceOf(page)).toBe('$12.34');
      await page.getByRole('tab', { name: 'Audit' }).click();
      await page.getByRole('cell', { name: /Welcome gift/ }).waitFor();
      expect(await page.getByRole('cell', { name: /Welcome gift/ }).count(), 'pressed twice, done once').toBe(1);
      await user.page.reload();
      await user.page.getByText('Welcome gift').waitFor();
      expect(await balanceOf(user.page)).toBe('$12.34');
      expect([...user.complaints, ...operator.complaints]).toEqual([]);
      await Promise.all([user.leave(), operator.leave()]);
    },
  );

  test('finds what was quarantined first, replays it, and credits nothing by that', { timeout: 90_000 }, async () => {
    const user = await visit(browser, { url: server.url });
    await signIn(user.page, 'Rita Replay');
    await startTopUp(user.page, '21');
    await server.control('switches', { wrong: { livemode: true } });
    await user.page.getByTestId('pay').click();
    await expect.poll(quarantined, { timeout: 15_000 }).toBeGreaterThan(0);
    await server.control('switches', { wrong: {} });
    const operator = await visit(browser, { url: server.url });
    const { page } = operator;
    await signInAsOperator(page);
    await page.getByRole('link', { name: 'Webhook events' }).click();
    expect(await page.getByRole('button', { name: 'Quarantined' }).getAttribute('aria-pressed')).toBe('true');
    await page
      .getByRole('button', { name: /^Replay/ })
      .first()
      .click();
    await page
      .getByText(/^Replayed /)
      .first()
      .waitFor();
    await photograph(page, 'operator-replayed');
    expect((await walletOf('Rita Replay')).credit_balance).toBe('0.00');
    expect([...user.complaints, ...operator.complaints]).toEqual([]);
    await Promise.all([user.leave(), operator.leave()]);
  });

  test("may not be at the user's pages, nor the user at the operator's", { timeout: 60_000 }, async () => {
    const { page, leave } = await visit(browser, { url: server.url });
    await signIn(page, 'Nosy Parker');
    await page.goto('/operator/webhook-events');
    await page.getByText('There is no such page').waitFor();
    await leave();
  });
});

const quarantined = async (): Promise<number> =>
  (await server.asOperator<ListPage<WebhookEvent>>('/v1/webhook-events?state=quarantined')).items.length;
