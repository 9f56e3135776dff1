import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { balanceOf, expectSound, sees, signIn, startTopUp, type Scheme } from './visitor.ts';

const stage = openStage();
const { test } = stage;

const STORY_MS = 90_000;

async function saveCard(page: Page, card: string): Promise<void> {
  await page.getByRole('button', { name: 'Save a card' }).click();
  await page.getByTestId('card').selectOption(card);
  await page.getByTestId('pay').click();
  await page.getByRole('heading', { name: 'Saved cards' }).waitFor();
}

describe('a person with a saved card', () => {
  test('saves one at a top-up by their own choice, and has it forgotten', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open();
    await signIn(page, 'Carla Card');
    await page.getByText('No card is saved').waitFor();
    await page.getByLabel('Save this card for later').check();
    await page.getByLabel('Amount in US dollars').fill('20');
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await page.getByTestId('saves').waitFor();
    await page.getByTestId('card').selectOption('mastercard');
    await page.getByTestId('pay').click();
    await sees(page, 'The money is in the wallet');
    await startTopUp(page, '10');
    expect(await page.getByTestId('saves').count(), 'who does not ask for it saves nothing').toBe(0);
    await page.goto('/wallet');
    await page.getByText('Mastercard ending in 4444').waitFor();
    await page.getByRole('button', { name: 'Remove Mastercard ending in 4444' }).click();
    await page.getByRole('button', { name: 'Remove the card' }).click();
    await page.getByText('No card is saved').waitFor();
  });

  // Both looks at once: they wait for the same tick.
  test(
    'switches auto-recharge on, confirms what the bank wants confirmed, and switches it off',
    { timeout: STORY_MS },
    async ({ open }) => {
      await Promise.all(LOOKS.map(async ([scheme, width]) => await rechargeStory(await open(scheme, width), scheme)));
    },
  );
});

async function rechargeStory(page: Page, scheme: Scheme): Promise<void> {
  await signIn(page, `Rita ${scheme}`);
  await saveCard(page, 'authenticate');
  await page.getByRole('button', { name: 'Switch on…' }).click();
  await page.getByLabel('Fill it up to').fill('6');
  await page.getByRole('button', { name: 'Switch on', exact: true }).click();
  await page.getByText('Agree to this before the card can be charged.').waitFor();
  await page.getByLabel('I agree to the following:').check();
  await page.getByRole('button', { name: 'Switch on', exact: true }).click();
  await page.getByText('must be at least 5.00 above the threshold').waitFor();
  expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('target');
  await expectSound(page, `auto-recharge-dialog-${scheme}`);
  await page.getByLabel('Fill it up to').fill('25');
  await page.getByRole('button', { name: 'Switch on', exact: true }).click();
  await page.getByText('For auto-recharge', { exact: true }).waitFor();
  // The wallet is empty, so the tick charges the card; the bank wants its owner.
  await page.getByText('Needs you').waitFor({ timeout: 40_000 });
  await expectSound(page, `auto-recharge-needs-you-${scheme}`);
  await page.getByRole('button', { name: 'Confirm and pay $25.00' }).click();
  await page.getByTestId('pay').click();
  await sees(page, 'The money is in the wallet');
  await page.goto('/wallet');
  expect(await balanceOf(page)).toBe('$25.00');
  await page.getByText('On', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Switch off' }).click();
  await page.getByText('You switched it off.').waitFor();
  await expectSound(page, `auto-recharge-off-${scheme}`);
}
