import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { balanceOf, expectSound, sees, signIn, signInAsOperator, startTopUp } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 180_000;

describe.each(LOOKS)('codes, the bonus and what is owed, %s at %i pixels', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'an operator makes a code and a rule, somebody redeems and tops up, and the report has both',
    { timeout: STORY_MS },
    async ({ open }) => {
      const operator = await open(scheme, width);
      await signInAsOperator(operator);
      await operator.goto('/operator/codes');
      await operator.getByRole('button', { name: 'New code' }).click();
      await operator.getByRole('button', { name: 'Make the code' }).click();
      await operator.getByText('Say what it is for').waitFor();
      await operator.getByText('Enter an amount.').waitFor();
      await expectSound(operator, `codes-refused-${look}`);
      const code = `WALK-${scheme}-2026`;
      const field = (name: string) => operator.locator(`input[name=${name}]`);
      await field('code').fill(code);
      await field('description').fill('Welcome to the fair');
      await field('amount').fill('5');
      await field('uses_max').fill('20');
      await operator.getByText('It gives $100.00 when it is used up.').waitFor();
      await expectSound(operator, `codes-new-${look}`);
      await operator.getByRole('button', { name: 'Make the code' }).click();
      await operator.getByRole('heading', { name: code.toUpperCase() }).waitFor();
      await operator.getByText('Nobody has redeemed it so far').waitFor();
      await operator.goto('/operator/bonus');
      await operator.getByText('A first top-up is given nothing').or(operator.getByText('10 %')).first().waitFor();
      await operator.getByRole('button', { name: 'New rule' }).click();
      await field('percent').fill('10');
      await operator.getByRole('button', { name: 'Set the rule' }).click();
      await operator.getByText('Enter the most that is given.').waitFor();
      await expectSound(operator, `bonus-refused-${look}`);
      await field('bonus_max').fill('5.00');
      await operator.getByRole('button', { name: 'Set the rule' }).click();
      await operator.getByTestId('bonus-present').getByText('10 %, $5.00 at most').waitFor();
      await expectSound(operator, `bonus-${look}`);

      const page = await open(scheme, width);
      await signIn(page, `Cora Code ${look}`);
      await page.getByText('Your first top-up is given a bonus: 10 %, $5.00 at most').waitFor();
      const redeem = page.getByRole('button', { name: 'Redeem' });
      await redeem.click();
      await page.getByText('Enter the code as it is printed.').waitFor();
      await page.getByLabel('Promo code').fill('no such code');
      await redeem.click();
      await page.getByText('There is no such code now.').waitFor();
      await expectSound(page, `redeem-unknown-${look}`);
      await page.getByLabel('Promo code').fill(code.toLowerCase().replaceAll('-', ' '));
      await redeem.dblclick();
      await page.getByText('$5.00 for you: Welcome to the fair').waitFor();
      await page.getByRole('heading', { name: 'Given credit' }).waitFor();
      // Pressed twice, given once.
      await expect.poll(() => balanceOf(page)).toBe('$5.00');
      await expectSound(page, `redeemed-${look}`);
      await page.getByLabel('Promo code').fill(code);
      await redeem.click();
      await page.getByText('This code has been redeemed by you').waitFor();
      await startTopUp(page, '20');
      await page.getByTestId('pay').click();
      await sees(page, 'The money is in the wallet');
      await page.goto('/wallet');
      await expect.poll(() => balanceOf(page)).toBe('$27.00');
      expect(await page.getByText('Your first top-up').count()).toBe(0);

      await operator.goto('/operator/liability');
      await operator.getByRole('cell', { name: '$20.00' }).first().waitFor();
      await expectSound(operator, `liability-${look}`);
      const download = operator.waitForEvent('download');
      await operator.getByRole('button', { name: 'Download as CSV' }).click();
      expect((await download).suggestedFilename()).toMatch(/^liability-.*\.csv$/);
      await operator.getByLabel('As of').fill('2020-01-01T00:00');
      await operator.getByRole('button', { name: 'Show', exact: true }).click();
      await operator.getByText('Nothing lies in wallets').waitFor();
      expect(await operator.getByTestId('owed').textContent()).toBe('$0.00');
      await expectSound(operator, `liability-nothing-${look}`);
      await operator.goto('/operator/codes');
      await operator.getByLabel('Find a code').fill('nobody made this');
      await operator.getByText('Nothing found for').waitFor();
      await operator.getByLabel('Find a code').fill('the fair');
      await operator.getByText('1 of 20').first().waitFor();
      await expectSound(operator, `codes-${look}`);
      await operator.getByRole('link', { name: code.toUpperCase() }).click();
      await operator.getByRole('button', { name: 'Close the code…' }).click();
      await operator.getByRole('button', { name: 'Close the code', exact: true }).click();
      await operator.getByText('Say why.').waitFor();
      await operator.getByLabel('Reason').fill('the fair is over');
      await operator.getByRole('button', { name: 'Close the code', exact: true }).click();
      await operator.getByRole('dialog').waitFor({ state: 'detached' });
      await operator.getByText('Closed', { exact: true }).first().waitFor();
      await expectSound(operator, `code-closed-${look}`);
    },
  );
});
