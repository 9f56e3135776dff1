import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test as plain } from 'vitest';
import { launchBrowser } from './browser.ts';
import { startSandboxServer } from './server.ts';
import type { SandboxServer } from './server.ts';
import { balanceOf, expectSound, photograph, sees, signIn, sessionOf, startTopUp, visit } from './visitor.ts';

let server: SandboxServer;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startSandboxServer(), launchBrowser()]);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
}, 60_000);

/** Each test is a new person with a browser of their own, which at the end has nothing to complain about. */
const test = plain.extend<{ page: Page }>({
  page: async ({ task }, use) => {
    const visitor = await visit(browser, { url: server.url });
    await use(visitor.page);
    if (task.result?.state === 'fail')
      await photograph(visitor.page, `failed-${task.name.replaceAll(/[^a-z0-9]+/gi, '-')}`);
    await server.control('switches', CALM);
    await visitor.leave();
    expect(visitor.complaints).toEqual([]);
  },
});

/** How the simulator behaves unless a test says otherwise. */
const CALM = { settleAfterMs: 5_000, lossRate: 0, wrong: {} };

const STORY_MS = 90_000;

/** Nothing behind the payment's number: what the provider added is gone. */
const paymentPath = /\/payments\/[^/?#]+$/;

describe('a person fills a wallet', () => {
  test(
    'who pays 25 USD on the checkout page sees the wallet credited, once, and for good',
    { timeout: STORY_MS },
    async ({ page }) => {
      await signIn(page, 'Ada Lovelace');
      expect(await balanceOf(page)).toBe('$0.00');
      await startTopUp(page, '25');
      expect(await page.getByTestId('amount').textContent()).toBe('$25.00');
      await page.getByTestId('pay').click();
      await sees(page, 'The money is in the wallet');
      expect(new URL(page.url()).pathname + new URL(page.url()).search).toMatch(paymentPath);
      await page.reload();
      await sees(page, 'The money is in the wallet');
      const steps = await page.getByRole('list', { name: 'Progress of the payment' }).locator('time').count();
      expect(steps, 'created, paid and credited each have a time').toBe(3);
      await page.getByRole('link', { name: 'Go to the wallet' }).click();
      await page.getByText('+$25.00').waitFor();
      expect(await balanceOf(page)).toBe('$25.00');
      expect(await page.getByText('+$25.00').count()).toBe(1);
      expect(await page.getByText('On the way in').count()).toBe(0);
    },
  );

  test(
    'who pays by mobile money is told what the phone waits for, and sees the wallet credited',
    { timeout: STORY_MS },
    async ({ page }) => {
      await signIn(page, 'Asha Juma');
      await page.getByLabel('Amount in US dollars').fill('25');
      await page.getByRole('radio', { name: 'Mobile money' }).check();
      await expectSound(page, 'top-up-mobile-money');
      await page.getByRole('button', { name: 'Continue to payment' }).click();
      await page.getByTestId('send').waitFor();
      expect(await page.getByTestId('amount').textContent()).toBe('$25');
      await page.getByLabel(/Phone number/).fill('12345');
      await page.getByTestId('send').click();
      await page.getByTestId('problem').waitFor();
      await expectSound(page, 'mobile-money-number');
      await page.getByLabel(/Phone number/).fill('+255 712 000 001');
      await page.getByTestId('send').click();
      await page.getByRole('heading', { name: 'Sent to your phone' }).waitFor();
      await expectSound(page, 'mobile-money-phone');
      const checkout = page.url();
      await page.getByTestId('back').click();
      await page.getByRole('link', { name: /Waiting for you/ }).click();
      await page.getByText('Confirm it there with your PIN').waitFor();
      await expectSound(page, 'payment-on-the-phone');
      const payment = page.url();
      await page.goto(checkout);
      await page.getByTestId('approve').click();
      await page.getByRole('heading', { name: 'The payment is being processed' }).waitFor();
      await page.goto(payment);
      await sees(page, 'The money is in the wallet');
      await page.getByRole('link', { name: 'Go to the wallet' }).click();
      await page.getByText('+$25.00').waitFor();
      expect(await balanceOf(page)).toBe('$25.00');
    },
  );

  test(
    'who declines on the phone is told on the wallet page what happened and what to do',
    { timeout: STORY_MS },
    async ({ page }) => {
      await signIn(page, 'Neema Hapana');
      await page.getByLabel('Amount in US dollars').fill('30');
      await page.getByRole('radio', { name: 'Mobile money' }).check();
      await page.getByRole('button', { name: 'Continue to payment' }).click();
      await page.getByTestId('send').click();
      await page.getByTestId('decline').click();
      await page.getByRole('heading', { name: 'Not paid' }).waitFor();
      await page.getByTestId('back').click();
      await page.getByText(/Failed: top-up of \$30\.00 through ClickPesa/).waitFor();
      await page.getByText(/confirm it on the phone with your PIN/).waitFor();
      expect(await page.getByText('On the way in').count()).toBe(0);
      await expectSound(page, 'wallet-after-a-decline');
      await page.getByRole('link', { name: 'See the payment' }).click();
      await sees(page, 'No money was taken');
      await page.goBack();
      await page.getByRole('button', { name: 'Close this notice' }).click();
      expect(await page.getByText(/Failed: top-up/).count()).toBe(0);
    },
  );

  test('a sandbox says on every page that no real money moves', { timeout: STORY_MS }, async ({ page }) => {
    const says = async (): Promise<void> => page.getByText('Sandbox: no real money moves.').waitFor();
    await page.goto('/');
    await says();
    await signIn(page, 'Sandra Box');
    await says();
    await startTopUp(page, '10');
    await page.getByTestId('cancel').click();
    await sees(page, 'Waiting for your payment');
    await says();
  });

  test(
    'who leaves the checkout page without paying finds the way back to it',
    { timeout: STORY_MS },
    async ({ page }) => {
      await signIn(page, 'Ben Abandon');
      await startTopUp(page, '10');
      await page.getByTestId('cancel').click();
      await sees(page, 'Waiting for your payment');
      await page.getByRole('main').getByRole('link', { name: 'Wallet', exact: true }).click();
      await page.getByRole('heading', { name: 'On the way in' }).waitFor();
      expect(await balanceOf(page)).toBe('$0.00');
      await page.getByRole('link', { name: /Waiting for you/ }).click();
      await page.getByRole('link', { name: 'Continue to checkout' }).click();
      await page.getByTestId('pay').click();
      await sees(page, 'The money is in the wallet');
    },
  );

  test('who is declined is told so, and may pay with another card', { timeout: STORY_MS }, async ({ page }) => {
    await signIn(page, 'Dora Declined');
    await startTopUp(page, '30');
    await page.getByTestId('decline').click();
    await page.getByTestId('declined').waitFor();
    await page.goto('/wallet');
    expect(await balanceOf(page)).toBe('$0.00');
    await page
      .getByRole('link', { name: /\$30\.00/ })
      .first()
      .click();
    await page.getByRole('link', { name: 'Continue to checkout' }).click();
    await page.getByTestId('pay').click();
    await sees(page, 'The money is in the wallet');
  });

  test(
    'money that arrives later is shown on its way and then credited without a reload',
    { timeout: STORY_MS },
    async ({ page }) => {
      await server.control('switches', { settleAfterMs: 600_000 });
      await signIn(page, 'Lara Later');
      await startTopUp(page, '40');
      const session = sessionOf(page);
      await page.getByTestId('pay-later').click();
      await sees(page, 'The provider is moving the money');
      await server.control(`sessions/${session}/settle`, { paid: true });
      await sees(page, 'The money is in the wallet');
    },
  );

  test('money that never arrives is not credited and the page says why', { timeout: STORY_MS }, async ({ page }) => {
    await server.control('switches', { settleAfterMs: 0 });
    await signIn(page, 'Nora Never');
    await startTopUp(page, '45');
    await page.getByTestId('pay-later-fails').click();
    await sees(page, 'No money was taken');
    await page.goto('/wallet');
    expect(await balanceOf(page)).toBe('$0.00');
  });

  test(
    'a payment that disagrees with its order waits for a person and credits nothing',
    { timeout: STORY_MS },
    async ({ page }) => {
      await signIn(page, 'Quentin Quarantine');
      await startTopUp(page, '20');
      await server.control('switches', { wrong: { currency: 'eur' } });
      await page.getByTestId('pay').click();
      await sees(page, 'A person has to look at this payment');
      await page.goto('/wallet');
      expect(await balanceOf(page)).toBe('$0.00');
    },
  );

  test('check again finds a payment whose webhook was lost', { timeout: STORY_MS }, async ({ page }) => {
    await server.control('switches', { lossRate: 1 });
    await signIn(page, 'Walter Without');
    await startTopUp(page, '18');
    const session = sessionOf(page);
    await page.getByTestId('cancel').click();
    await page.getByText('The provider was asked: waiting for you.').waitFor();
    await server.control(`sessions/${session}/complete`, { outcome: 'paid' });
    await page.getByRole('button', { name: 'Check again' }).click();
    await sees(page, 'The money is in the wallet');
  });

  test('pressing twice starts one payment', { timeout: STORY_MS }, async ({ page }) => {
    await signIn(page, 'Dieter Double');
    const sent: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/v1/payments'))
        sent.push(request.headers()['idempotency-key']);
    });
    await page.getByLabel('Amount in US dollars').fill('15');
    await page.getByRole('button', { name: 'Continue to payment' }).dblclick();
    await page.getByTestId('pay').waitFor();
    expect(new Set(sent).size).toBe(1);
    await page.goto('/wallet');
    await page.getByRole('heading', { name: 'On the way in' }).waitFor();
    expect(await page.getByRole('link', { name: /\$15\.00/ }).count()).toBe(1);
  });

  test(
    'an answer that never came is asked for again with the same key, and nothing happens twice',
    { timeout: STORY_MS },
    async ({ page }) => {
      await signIn(page, 'Lena Lost');
      const keys: (string | undefined)[] = [];
      let isFirst = true;
      await page.route('**/v1/payments', async (route) => {
        if (route.request().method() !== 'POST') return route.continue();
        keys.push(route.request().headers()['idempotency-key']);
        if (!isFirst) return route.continue();
        isFirst = false;
        // The server did it; the answer is lost on the way back.
        await route.fetch();
        return route.abort();
      });
      await page.getByLabel('Amount in US dollars').fill('35');
      await page.getByRole('button', { name: 'Continue to payment' }).click();
      await page.getByText('The server did not answer.').waitFor();
      await page.getByRole('button', { name: 'Continue to payment' }).click();
      await page.getByTestId('pay').waitFor();
      expect(keys).toHaveLength(2);
      expect(keys[0]).toBe(keys[1]);
      await page.goto('/wallet');
      await page.getByRole('heading', { name: 'On the way in' }).waitFor();
      expect(await page.getByRole('link', { name: /\$35\.00/ }).count()).toBe(1);
    },
  );

  test('an amount that cannot be paid is refused in place, with the limit', { timeout: STORY_MS }, async ({ page }) => {
    await signIn(page, 'Ina Invalid');
    const amount = page.getByLabel('Amount in US dollars');
    const press = page.getByRole('button', { name: 'Continue to payment' });
    for (const [typed, said] of [
      ['', 'Enter an amount.'],
      ['0.01', 'The smallest amount is'],
      ['99999999', 'The largest amount is'],
      ['1,000', 'without commas'],
      ['12.345', 'whole cents'],
      ['ten', 'in dollars'],
    ] as const) {
      await amount.fill(typed);
      await press.click();
      await page.getByText(said).waitFor();
      expect(await amount.getAttribute('aria-invalid')).toBe('true');
      expect(await amount.evaluate((field) => field === document.activeElement)).toBe(true);
    }
  });

  test("somebody else's payment looks like none at all", { timeout: STORY_MS }, async ({ page }) => {
    await signIn(page, 'Ada Lovelace');
    await startTopUp(page, '12');
    await page.getByTestId('cancel').click();
    await sees(page, 'Waiting for your payment');
    const { pathname } = new URL(page.url());
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your name').fill('Mallory');
    await page.getByRole('button', { name: 'Open my wallet' }).click();
    // The address was kept over the sign-in, so the payment is asked for at once.
    await page.getByRole('alert').getByText(/./).first().waitFor();
    expect(new URL(page.url()).pathname).toBe(pathname);
    expect(await page.getByText('$12.00').count()).toBe(0);
  });

  test('the whole way can be gone by keyboard alone', { timeout: STORY_MS }, async ({ page }) => {
    await page.goto('/');
    await page.getByLabel('Your name').waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Your name');
    await page.keyboard.type('Kay Board');
    await page.keyboard.press('Enter');
    await page.getByTestId('balance').waitFor();
    await tabTo(page, '$25');
    await page.keyboard.press('Space');
    await tabTo(page, 'Continue to payment');
    await page.keyboard.press('Enter');
    await page.getByTestId('pay').waitFor();
    await tabTo(page, 'Pay $25.00');
    await page.keyboard.press('Enter');
    await sees(page, 'The money is in the wallet');
    await tabTo(page, 'Go to the wallet');
    await page.keyboard.press('Enter');
    await page.getByText('+$25.00').waitFor();
    await tabTo(page, 'Statement');
    await page.keyboard.press('ArrowRight');
    await page.getByText('Top-up by Stripe').waitFor();
    await page.keyboard.press('Shift+Tab');
    await tabTo(page, 'Sign out', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByLabel('Your name').waitFor();
  });
});

const TAB_STOPS_MAX = 40;

/** The label of what has the focus, as it is read out. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
    return (element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? '').trim();
  });

/** Presses the key until the named control has the focus, and expects that one can see it there. */
async function tabTo(page: Page, label: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let stops = 0; stops < TAB_STOPS_MAX; stops += 1) {
    if ((await focused(page)) === label) {
      const isSeen = await page.evaluate(() => {
        const hasRing = (element: Element | null): boolean =>
          element !== null &&
          Number.parseFloat(getComputedStyle(element).outlineWidth) > 0 &&
          getComputedStyle(element).outlineStyle !== 'none';
        return hasRing(document.activeElement) || hasRing(document.activeElement?.parentElement ?? null);
      });
      expect(isSeen, `the focus on "${label}" is visible`).toBe(true);
      return;
    }
    await page.keyboard.press(key);
  }
  throw new Error(`"${label}" cannot be reached with ${key}`);
}
