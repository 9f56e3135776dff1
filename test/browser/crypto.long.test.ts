import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { openStage } from './stage.ts';
import { balanceOf, expectSound, sees, signIn } from './visitor.ts';

const stage = openStage();
const { test } = stage;

const STORY_MS = 90_000;

/** From the wallet to the invoice's page. */
async function startCrypto(page: Page, amount: string): Promise<void> {
  await page.goto('/wallet');
  await page.getByLabel('Amount in US dollars').fill(amount);
  await page.getByRole('radio', { name: /^Crypto/ }).check();
  await page.getByRole('button', { name: 'Continue to payment' }).click();
  await page.getByTestId('exact').waitFor();
}

describe('a person fills a wallet with coins', () => {
  test('who pays the exact amount has exactly that', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open('dark', 360);
    await signIn(page, 'Satoshi Exact');
    await startCrypto(page, '25.00');
    expect(await page.getByTestId('amount').textContent()).toBe('$25.00');
    await expectSound(page, 'crypto-checkout');
    await page.getByTestId('exact').click();
    await sees(page, 'The money is in the wallet');
    await page.getByRole('link', { name: 'Go to the wallet' }).click();
    await page.getByText('+$25.00').waitFor();
    expect(await balanceOf(page)).toBe('$25.00');
  });

  test('who pays half of it has that, is told so, and can pay the rest', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open();
    await signIn(page, 'Hal Half');
    await startCrypto(page, '20.00');
    await page.getByTestId('half').click();
    await page.getByTestId('received').waitFor();
    await page.getByTestId('confirm').click();
    await expectSound(page, 'crypto-checkout-half');
    await page.getByTestId('back').click();
    await sees(page, 'The money is in the wallet');
    await page
      .getByText(/You ordered \$20\.00/)
      .first()
      .waitFor();
    await expectSound(page, 'crypto-payment-half');
    await page.goto('/wallet');
    await page.getByText('+$10.00').first().waitFor();
  });
});
