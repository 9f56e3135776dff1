import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, sees, signIn, signInAsOperator, startTopUp } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

let receiver: Receiver;
beforeAll(async () => {
  receiver = await openReceiver();
});
afterAll(() => receiver.close());

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'an address for mail, a payment with its receipt, and the mail that would be sent',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      await signIn(page, `Ada ${look}`);
      await page.goto('/account');
      await page.getByLabel('E-mail address').fill('ada@@example.org');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('must be an e-mail address').waitFor();
      await expectSound(page, `account-refused-${look}`);
      await page.getByLabel('E-mail address').fill(`ada-${look}@example.org`);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved.', { exact: true }).waitFor();
      await stage.server.control('switches', { settleAfterMs: 0 });
      await startTopUp(page, '25');
      await page.getByTestId('pay').click();
      await sees(page, 'The money is in the wallet');
      const pdf = page.getByRole('button', { name: /^Download .* as PDF$/ });
      await pdf.waitFor();
      await expectSound(page, `payment-receipt-${look}`);
      const [file] = await Promise.all([page.waitForEvent('download'), pdf.click()]);
      expect(file.suggestedFilename()).toMatch(/^R-\d{4}-\d{6}\.pdf$/);
      await page.goto('/wallet');
      await page.getByRole('tab', { name: 'Receipts' }).click();
      await pdf.waitFor();
      await expectSound(page, `wallet-receipts-${look}`);
      const operator = await open(scheme, width);
      await signInAsOperator(operator);
      await operator.goto('/operator/mail');
      const row = operator.getByRole('row', { name: new RegExp(`ada-${look}@example.org`) });
      await row.getByText('Your payment has arrived').waitFor();
      await expectSound(operator, `operator-mail-${look}`);
      await row.getByRole('button').click();
      await operator.getByText('25.00 USD are in your wallet.').waitFor();
      await expectSound(operator, `operator-mail-read-${look}`);
      await operator.goto('/operator/receipts');
      await operator
        .getByRole('button', { name: /^Download .* as PDF$/ })
        .first()
        .waitFor();
      await expectSound(operator, `operator-receipts-${look}`);
    },
  );

  test(
    'an endpoint: refused, added with its secret, tested, read of, sent again, removed',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      await signIn(page, `Eve ${look}`);
      await page.goto('/events');
      await page.getByText('No endpoints yet').waitFor();
      await expectSound(page, `events-empty-${look}`);
      await page.getByRole('button', { name: 'Add an endpoint' }).click();
      await page.getByRole('button', { name: 'Add the endpoint' }).click();
      await page.getByText('Enter the address.').waitFor();
      await page.getByLabel('Address').fill('https://10.0.0.1/hook');
      await page.getByLabel('What it is for').fill('My own program');
      await page.getByLabel('everything, also what comes later').uncheck();
      await page.getByRole('button', { name: 'Add the endpoint' }).click();
      await page.getByText('The address must name a host of the public internet.').waitFor();
      await expectSound(page, `events-refused-${look}`);
      await page.getByLabel('everything, also what comes later').check();
      await page.getByLabel('Address').fill(`${receiver.url}/${look}`);
      await page.getByRole('button', { name: 'Add the endpoint' }).click();
      expect(await page.getByTestId('endpoint-secret').textContent()).toMatch(/^whsec_/);
      await expectSound(page, `events-secret-${look}`);
      await page.getByRole('button', { name: 'I have stored the secret' }).click();
      await page.getByRole('link', { name: 'My own program' }).click();
      receiver.answer(`/${look}`, (response) => response.writeHead(200).end('<img src=x onerror=alert(1)> thanks'));
      await page.getByRole('button', { name: 'Send a test' }).click();
      await page.getByRole('table').getByText('Delivered').locator('visible=true').first().waitFor();
      await expectSound(page, `endpoint-${look}`);
      await page.getByRole('button', { name: /^Details of endpoint.test/ }).click();
      await page.getByText('1. Answered 200').waitFor();
      await page.getByText('<img src=x onerror=alert(1)> thanks').waitFor();
      await expectSound(page, `delivery-${look}`);
      await page.getByRole('button', { name: 'Send again' }).click();
      await page.getByText('2. Answered 200').waitFor();
      const ids = receiver.at(`/${look}`).map(({ headers }) => headers['webhook-id']);
      expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'New secret' }).click();
      await expectSound(page, `endpoint-rotate-${look}`);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Switch off' }).click();
      await page.getByText('It is switched off.').waitFor();
      await expectSound(page, `endpoint-off-${look}`);
      const operator = await open(scheme, width);
      await signInAsOperator(operator);
      await operator.goto('/operator/events');
      await operator.getByText(`${receiver.url}/${look}`).waitFor();
      await expectSound(operator, `operator-endpoints-${look}`);
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Remove it' }).click();
      await page.getByText('No endpoints yet').waitFor();
    },
  );
});
