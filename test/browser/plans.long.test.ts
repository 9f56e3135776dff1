import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { balanceOf, expectSound, sees, sessionOf, signIn, signInAsOperator, startTopUp } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 180_000;

describe.each(LOOKS)('plans, %s at %i pixels', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'somebody is told what is missing, buys, changes at once and at the end, cancels and resumes',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      await signIn(page, `Petra Plan ${look}`);
      await page.goto('/plan');
      await page.getByText('A plan lets you have VMs.').waitFor();
      await expectSound(page, `plan-none-${look}`);
      await page.getByRole('button', { name: 'Buy 5 VMs…' }).click();
      await page.getByText('The wallet lacks $10.00').waitFor();
      await expectSound(page, `plan-short-${look}`);
      await page.getByRole('link', { name: 'Add money' }).click();
      await startTopUp(page, '50');
      expect(sessionOf(page)).not.toBe('');
      await page.getByTestId('pay').click();
      await sees(page, 'The money is in the wallet');
      await page.goto('/plan');
      await page.getByRole('button', { name: 'Buy 5 VMs…' }).click();
      await page.getByRole('button', { name: 'Buy for $10.00' }).waitFor();
      await expectSound(page, `plan-quote-${look}`);
      await page.getByRole('button', { name: 'Buy for $10.00' }).click();
      await page.getByText('0 of 5 in use').waitFor();
      await expectSound(page, `plan-bought-${look}`);
      await page.getByRole('button', { name: 'Change to 10 VMs…' }).click();
      await page.getByText('not used, given back').waitFor();
      await expectSound(page, `plan-change-${look}`);
      await page.getByRole('button', { name: /^Change now for/ }).click();
      await page.getByText('0 of 10 in use').waitFor();
      await page.getByRole('button', { name: 'Change to 5 VMs…' }).click();
      await page.getByRole('button', { name: 'Change at the end of the period' }).click();
      await page.getByText('It becomes vm-5').waitFor();
      await expectSound(page, `plan-waiting-${look}`);
      await page.getByRole('button', { name: 'Keep 10 VMs' }).click();
      await page.getByText('It becomes vm-5').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Cancel the plan…' }).click();
      await expectSound(page, `plan-cancel-${look}`);
      await page.getByRole('button', { name: 'Cancel the plan', exact: true }).click();
      await page.getByText('its VMs are given back').waitFor();
      await expectSound(page, `plan-cancelled-${look}`);
      await page.getByRole('button', { name: 'Let it renew' }).click();
      await page.getByRole('button', { name: 'Cancel the plan…' }).waitFor();
      await page.goto('/wallet');
      await expect.poll(() => balanceOf(page)).toMatch(/^\$30\./);

      const operator = await open(scheme, width);
      await signInAsOperator(operator);
      await operator.goto('/operator/plans');
      await operator.getByRole('button', { name: 'New version of vm-5' }).waitFor();
      await expectSound(operator, `plans-${look}`);
      await operator.getByRole('button', { name: 'New plan' }).click();
      await operator.getByRole('button', { name: 'Make the plan' }).click();
      await operator.getByText('Enter a code').waitFor();
      await expectSound(operator, `plans-new-${look}`);
      await operator.getByLabel('Code').fill(`walk-${look}`);
      await operator.getByLabel('Name').fill('One VM');
      await operator.getByLabel('VMs at a time').fill('1');
      await operator.getByLabel('Price of a period').fill('3.00');
      await operator.getByRole('button', { name: 'Make the plan' }).click();
      await operator.getByRole('button', { name: `Sell no more: walk-${look}` }).click();
      await operator.getByRole('button', { name: 'Sell no more', exact: true }).click();
      await operator.getByText('Not for sale').locator('visible=true').first().waitFor();
      await operator.goto('/operator/subscriptions');
      await operator
        .getByRole('button', { name: /^End 10 VMs of/ })
        .first()
        .click();
      await operator.getByRole('button', { name: 'End the plan' }).click();
      await operator.getByText('Say why.').waitFor();
      await expectSound(operator, `subscriptions-end-${look}`);
      await operator.getByLabel('Reason').fill('asked for by letter');
      await operator.getByRole('button', { name: 'End the plan' }).click();
      await operator.getByText('ended by the service').first().waitFor();
      await expectSound(operator, `subscriptions-${look}`);
    },
  );
});
