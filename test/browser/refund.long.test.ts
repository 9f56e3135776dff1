import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { balanceOf, expectSound, sees, sessionOf, signIn, signInAsOperator, startTopUp } from './visitor.ts';

const stage = openStage({
  HERO_ONBOARDING_REFUND_SELF_SERVICE: 'on',
  HERO_ONBOARDING_REFUND_APPROVAL_ABOVE: '40.00',
});
const { test } = stage;
const STORY_MS = 180_000;
/** On a busy machine the first job of a server may come late, and is then tried again after half a minute. */
const SENT_WITHIN_MS = 120_000;

/** A person who has paid 50 dollars, on the page of the payment. */
async function paid(page: Page, name: string): Promise<{ readonly session: string }> {
  await signIn(page, name);
  await startTopUp(page, '50');
  const session = sessionOf(page);
  await page.getByTestId('pay').click();
  await sees(page, 'The money is in the wallet');
  return { session };
}

async function wish(page: Page, amount: string, reason: string): Promise<void> {
  await page.getByLabel('Amount in US dollars').fill(amount);
  await page.getByLabel('Reason').fill(reason);
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByText('Balance after').waitFor();
}

describe.each(LOOKS)('refunds, %s at %i pixels', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test('a user asks their money back and sees it leave', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    await paid(page, `Rita Return ${look}`);
    await page.getByRole('button', { name: 'Ask for your money back…' }).click();
    await page.getByLabel('Amount in US dollars').fill('60');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Say why.').waitFor();
    await page.getByLabel('Reason').fill('I have two wallets');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('more than may still go back').waitFor();
    await expectSound(page, `refund-refused-${look}`);
    await wish(page, '12.50', 'I have two wallets');
    await expectSound(page, `refund-quote-${look}`);
    await page.getByRole('button', { name: 'Give back $12.50' }).click();
    await page.getByText('Sent back').locator('visible=true').waitFor({ timeout: SENT_WITHIN_MS });
    await expectSound(page, `refund-of-payment-${look}`);
    await page.getByRole('link', { name: 'Go to the wallet' }).click();
    await expect.poll(() => balanceOf(page)).toBe('$37.50');
    await page.getByRole('tab', { name: 'Refunds' }).click();
    await page.getByText('I have two wallets').waitFor();
    await expectSound(page, `refund-wallet-${look}`);
  });

  test('above the limit an operator approves; another is rejected', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    await paid(page, `Lena Large ${look}`);
    await page.getByRole('button', { name: 'Ask for your money back…' }).click();
    const reason = `all of it, ${look}`;
    await wish(page, '50', reason);
    await page.getByRole('button', { name: 'Ask for $50.00' }).click();
    await page.getByText('Waiting for approval').locator('visible=true').waitFor();
    const operator = await open(scheme, width);
    await signInAsOperator(operator);
    await operator.goto('/operator/refunds?state=awaiting_approval');
    await operator.getByRole('button', { name: `Reject the refund of $50.00: ${reason}` }).click();
    await operator.getByRole('button', { name: 'Reject $50.00' }).click();
    await operator.getByText('Say why. It is kept for ever.').waitFor();
    await operator.keyboard.press('Escape');
    await expectSound(operator, `refund-queue-${look}`);
    await operator.getByRole('button', { name: `Approve the refund of $50.00: ${reason}` }).click();
    await expectSound(operator, `refund-approve-${look}`);
    await operator.getByRole('button', { name: 'Approve $50.00' }).click();
    await operator.getByText(reason, { exact: true }).waitFor({ state: 'detached' });
    // What waits for an operator is looked at once a minute.
    await page.reload();
    await page.getByText('Sent back').locator('visible=true').waitFor({ timeout: SENT_WITHIN_MS });
  });

  test(
    'an operator gives back from the plan of a wallet; what Stripe’s dashboard did is in it',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      const name = `Dora Dashboard ${look}`;
      const { session } = await paid(page, name);
      await stage.server.control('refunds', { about: session, amountCents: 2_000 });
      await expect
        .poll(
          async () => {
            await page.reload();
            await sees(page, 'The money is in the wallet');
            return await page.getByText('Made at the provider.').isVisible();
          },
          { timeout: 30_000, interval: 1_000 },
        )
        .toBe(true);
      const operator = await open(scheme, width);
      await signInAsOperator(operator);
      await operator.getByRole('link', { name }).first().click();
      await operator.getByRole('tab', { name: 'Refunds' }).click();
      await operator.getByText('$20.00 went back or is set aside').waitFor();
      await expectSound(operator, `refund-plan-${look}`);
      await operator.getByRole('button', { name: 'Refund the top-up of $50.00' }).click();
      expect(await operator.getByLabel('Amount in US dollars').inputValue()).toBe('30.00');
      await wish(operator, '30', 'closing the wallet');
      await operator.getByRole('button', { name: 'Give back $30.00' }).click();
      await operator.getByText('nothing is left').waitFor();
      await expect.poll(() => balanceOf(operator)).toBe('$0.00');
      await operator.goto('/operator/refunds');
      await operator.getByText('closing the wallet').first().waitFor();
      await expectSound(operator, `refund-list-${look}`);
    },
  );
});
