import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { balanceOf, expectSound, sees, signIn, signInAsOperator, startTopUp } from './visitor.ts';

const stage = openStage();
const { test, walletOf } = stage;
const STORY_MS = 120_000;

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test('sign-in, wallet and payment', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
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
    await stage.server.asOperator(`/v1/billings/${wallet.sid}/debits`, {
      amount: '0.493875',
      description: 'LLM calls, 1,204 tokens',
    });
    await stage.server.asOperator('/v1/holds', {
      wallet_sid: wallet.sid,
      amount: '3.00',
      description: 'VM web-1, one hour',
    });
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
});

describe('an operator', () => {
  test(
    'works the dialog by keyboard: Escape leaves it and gives the focus back',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open();
      await signIn(page, 'Alan Turing');
      const wallet = await walletOf('Alan Turing');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await signInAsOperator(page);
      await page.goto(`/operator/wallets/${wallet.sid}`);
      const opener = page.getByRole('button', { name: 'Adjust balance' });
      await opener.press('Enter');
      await page.getByLabel('New balance in US dollars').press('7');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
      expect((await walletOf('Alan Turing')).credit_balance).toBe('0.00');
    },
  );

  test('has pages that a user finds nothing at', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open();
    await signIn(page, 'Nosy Parker');
    await page.goto('/operator/webhook-events');
    await page.getByText('There is no such page').waitFor();
    expect(await page.getByRole('navigation', { name: 'Operator' }).count()).toBe(0);
  });
});

describe('text from outside', () => {
  test('is shown as text and never run', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open();
    const name = '<img src=x onerror="window.__xss=1">';
    await signIn(page, name);
    await page.getByText(name).waitFor();
    const wallet = await walletOf('<img');
    const description = '"><script>window.__xss=1</script><a href="javascript:window.__xss=1">';
    await stage.server.asOperator('/admin/balance-adjust', {
      sid: wallet.sid,
      balance_cents: 500,
      reason: description,
    });
    await page.reload();
    await page.getByText(description).waitFor();
    expect(await page.evaluate(() => '__xss' in window)).toBe(false);
    expect(await page.locator('img[src="x"], a[href^="javascript:"]').count()).toBe(0);
  });
});
