import { describe, expect } from 'vitest';
import type { Page as BrowserPage } from 'playwright-core';
import { LOOKS, openStage } from './stage.ts';
import { askProofOnce, balanceOf, expectSound, signIn, signInAsOperator } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

async function openWalletOf(page: BrowserPage, name: string): Promise<void> {
  await page.goto('/operator');
  await page.getByLabel('Find a wallet').fill(name);
  await page.getByRole('link', { name }).first().click();
  await page.getByTestId('balance').waitFor();
}

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'an operator is asked once more who they are, and what they began goes on',
    { timeout: STORY_MS },
    async ({ open }) => {
      const name = `Paula ${look}`;
      await signIn(await open(), name);
      const page = await open(scheme, width);
      await signInAsOperator(page);
      await openWalletOf(page, name);
      await page.getByRole('button', { name: 'Adjust balance' }).click();
      await page.getByLabel('New balance in US dollars').fill('12.00');
      await page.getByLabel('Reason').fill('a gift');
      await askProofOnce(page, '/admin/balance-adjust');
      await page.getByRole('button', { name: 'Preview' }).click();
      const question = page.getByRole('dialog', { name: 'Show once more who you are' });
      await question.waitFor();
      await expectSound(page, `proof-${look}`);
      await page.keyboard.press('Escape');
      await question.waitFor({ state: 'detached' });
      await page.getByText('Show once more who you are.').waitFor();
      await askProofOnce(page, '/admin/balance-adjust');
      await page.getByRole('button', { name: 'Preview' }).click();
      await question.getByRole('button', { name: 'It is me, Operator' }).click();
      await question.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Set balance to' }).first().click();
      await expect.poll(() => balanceOf(page)).toBe('$12.00');
    },
  );

  test(
    'an operator sees the pages of a user, who is told nothing and can be done nothing',
    { timeout: STORY_MS },
    async ({ open }) => {
      const name = `Vera ${look}`;
      const user = await open();
      await signIn(user, name);
      const page = await open(scheme, width);
      await signInAsOperator(page);
      await openWalletOf(page, name);
      await page.getByRole('button', { name: 'See it as they do' }).click();
      await page.getByRole('button', { name: 'See them' }).click();
      await page.getByText('Say why.').waitFor();
      await expectSound(page, `view-as-${look}`);
      await page.getByLabel('Reason').fill('a ticket');
      await page.getByRole('button', { name: 'See them' }).click();
      await page.getByText(`You see the account of ${name} as they do`).waitFor();
      await page.getByRole('heading', { name: 'Wallet' }).first().waitFor();
      await expectSound(page, `viewed-${look}`);
      await page.getByLabel('Amount in US dollars').fill('25.00');
      await page.getByRole('button', { name: 'Continue to payment' }).click();
      await page.getByText('You look at this account as its user does').waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Stop looking' }).click();
      await page.getByRole('heading', { name: 'Wallets' }).waitFor();
      expect(await page.getByText('as they do. Nothing can be changed').count()).toBe(0);
      expect(await user.getByText('as they do').count()).toBe(0);
    },
  );
});
