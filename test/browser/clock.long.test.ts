import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn, signInAsOperator } from './visitor.ts';

const stage = openStage();
const { test } = stage;

describe.each(LOOKS)('the clock of the sandbox, in %s, %i px wide', (scheme, width) => {
  test(
    'an operator moves it from the banner, stays signed in, and sees what time it is',
    { timeout: 90_000 },
    async ({ open }) => {
      const page = await open(scheme, width);
      await page.goto('/');
      await signInAsOperator(page);
      await page.getByRole('button', { name: 'Move the clock' }).click();
      await page.getByText('It is').waitFor();
      await expectSound(page, `clock-dialog-${scheme}-${width}`);
      await page.getByRole('button', { name: '30 days' }).click();
      await page.getByRole('button', { name: 'Move', exact: true }).click();
      await page.getByText('The last move began').waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'To a time' }).click();
      await page.getByLabel('Until').fill('2020-01-01T00:00');
      await page.getByRole('button', { name: 'Move', exact: true }).click();
      await page.getByText('it goes forwards only').waitFor();
      await expectSound(page, `clock-moved-${scheme}-${width}`);
      // There are two: the dialog's cross and its button.
      await page.getByRole('button', { name: 'Close' }).last().click();
      await page.getByText(/Its clock is \d+ days ahead/).waitFor();
      const user = await open(scheme, width);
      await user.goto('/');
      await signIn(user, 'Asha');
      await user.getByText(/Its clock is \d+ days ahead/).waitFor();
      expect(await user.getByRole('button', { name: 'Move the clock' }).count()).toBe(0);
      await expectSound(user, `clock-banner-${scheme}-${width}`);
    },
  );

  test(
    'H01 a wrong clock of the server is told on every page of an operator',
    { timeout: 60_000 },
    async ({ open }) => {
      const page = await open(scheme, width);
      await page.route('**/v1/session', async (route) => {
        const answer = await route.fetch();
        const session = (await answer.json()) as Record<string, unknown>;
        const isOperator = session['role'] === 'operator';
        await route.fulfill({
          response: answer,
          json: { ...session, clock_apart_seconds: isOperator ? -86_400 : null },
        });
      });
      await page.goto('/');
      expect(await page.getByRole('region', { name: 'Clock' }).count()).toBe(0);
      await signInAsOperator(page);
      await page.getByText('This server’s clock is 24 hours behind its database’s.').waitFor();
      await expectSound(page, `clock-apart-${scheme}-${width}`);
    },
  );
});
