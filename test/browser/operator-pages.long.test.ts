import { randomBytes } from 'node:crypto';
import { describe, expect } from 'vitest';
import type { Page as ListPage, WebhookEvent } from '../../web/surface.ts';
import { LOOKS, openStage } from './stage.ts';
import { startServer } from './server.ts';
import {
  balanceOf,
  expectSound,
  photograph,
  sees,
  signIn,
  sessionOf,
  signInAsOperator,
  startTopUp,
  visit,
  goTo,
} from './visitor.ts';

const stage = openStage();
const { test, walletOf } = stage;
const STORY_MS = 120_000;

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test('payments that did not end well', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    await signIn(page, `Pavel ${look}`);
    await stage.server.control('switches', { settleAfterMs: 2_000 });
    await startTopUp(page, '10');
    await page.getByTestId('pay-later-fails').click();
    await sees(page, 'The provider is moving the money');
    await expectSound(page, `payment-processing-${look}`);
    await sees(page, 'No money was taken');
    await expectSound(page, `payment-failed-${look}`);
    await startTopUp(page, '11');
    const session = sessionOf(page);
    await page.getByTestId('cancel').click();
    await sees(page, 'Waiting for your payment');
    await stage.server.control(`sessions/${session}/expire`, {});
    await sees(page, 'The checkout page has expired');
    await expectSound(page, `payment-expired-${look}`);
    await startTopUp(page, '12');
    await stage.server.control('switches', { wrong: { currency: 'eur' } });
    await page.getByTestId('pay').click();
    await sees(page, 'A person has to look at this payment');
    await expectSound(page, `payment-quarantined-${look}`);
    await page.goto('/payments/01a2b3c4d5e6f7');
    await page.getByRole('alert').getByText(/./).first().waitFor();
    await expectSound(page, `payment-unknown-${look}`);
  });

  test("the operator's pages", { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
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
    await goTo(page, 'Money', 'Payment events');
    await page.getByText('+$25.00').first().waitFor();
    await expectSound(page, `operator-payment-events-${look}`);
    await goTo(page, 'Money', 'Reconciliation');
    await page.getByText('Nothing is waiting for you').waitFor();
    await expectSound(page, `operator-reconciliation-${look}`);
    await goTo(page, 'Money', 'Webhook events');
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
    { timeout: STORY_MS },
    async ({ open }) => {
      const user = await open();
      const page = await open();
      await signIn(user, 'Grace Hopper');
      const wallet = await walletOf('Grace Hopper');
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
      await user.reload();
      await user.getByText('Welcome gift').waitFor();
      expect(await balanceOf(user)).toBe('$12.34');
    },
  );

  test(
    'finds what was quarantined first, replays it, and credits nothing by that',
    { timeout: STORY_MS },
    async ({ open }) => {
      const user = await open();
      await signIn(user, 'Rita Replay');
      await startTopUp(user, '21');
      await stage.server.control('switches', { wrong: { livemode: true } });
      await user.getByTestId('pay').click();
      await expect.poll(quarantined, { timeout: 40_000 }).toBeGreaterThan(0);
      await stage.server.control('switches', { wrong: {} });
      const page = await open();
      await signInAsOperator(page);
      await goTo(page, 'Money', 'Webhook events');
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
    },
  );
});

describe('a server that is no sandbox', () => {
  test(
    'has no play sign-in and no banner, and lets an operator in by the secret only',
    { timeout: STORY_MS },
    async () => {
      const secret = randomBytes(32).toString('hex');
      const real = await startServer({
        HERO_ONBOARDING_MODE: 'test',
        HERO_ONBOARDING_ADMIN_SECRET: secret,
        HERO_ONBOARDING_SESSION_KEY: randomBytes(32).toString('hex'),
        STRIPE_SECRET_KEY: `sk_test_${randomBytes(16).toString('hex')}`,
        STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('hex')}`,
        // Nobody listens there: these pages do not need Stripe.
        STRIPE_API_BASE: 'http://127.0.0.1:9',
      });
      const { page, complaints, ...visitor } = await visit(stage.browser, { url: real.url });
      try {
        await page.goto('/operator');
        await page.getByRole('heading', { name: 'Operator sign-in' }).waitFor();
        await expectSound(page, 'sign-in-by-secret');
        expect(await page.getByText('Sandbox: no real money moves.').count()).toBe(0);
        expect(await page.getByText('Open my wallet').count()).toBe(0);
        await page.getByLabel('Admin secret').fill('not the secret');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('alert').getByText(/./).first().waitFor();
        await expectSound(page, 'sign-in-by-secret-refused');
        await page.getByLabel('Admin secret').fill(secret);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByText('No wallets so far').waitFor();
        expect(new URL(page.url()).pathname).toBe('/operator');
        expect(complaints).toEqual([]);
      } finally {
        await visitor.leave();
        await real.stop();
      }
    },
  );
});

const quarantined = async (): Promise<number> =>
  (await stage.server.asOperator<ListPage<WebhookEvent>>('/v1/webhook-events?state=quarantined')).items.length;
