import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessibilityFindings } from '../browser/accessibility.ts';
import { launchBrowser } from '../browser/browser.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, type StripeBench } from './stripe-bench.ts';

let browser: Browser;
let bench: StripeBench;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  bench = await openStripeBench();
});
afterEach(() => bench.close());

describe('the checkout page in a browser', () => {
  it.each(['light', 'dark'] as const)(
    'declining, paying with a double click and coming back work and are accessible (%s)',
    async (colorScheme) => {
      const page = await (await browser.newContext({ colorScheme, viewport: { width: 390, height: 700 } })).newPage();
      const findings = () => accessibilityFindings(page);
      const successUrl = `${bench.url}/c/pay/done?session={CHECKOUT_SESSION_ID}`;
      const { orderRef, checkoutUrl } = await bench.provider.createOrder(newOrder(bench.now(), { successUrl }));
      await page.goto(String(checkoutUrl));
      expect(await findings()).toEqual([]);
      await page.getByTestId('decline').click();
      await page.getByTestId('declined').waitFor();
      expect(await findings()).toEqual([]);
      await page.getByTestId('pay').dblclick();
      await page.waitForURL(`**/c/pay/done?session=${orderRef}`);
      await page.goto(String(checkoutUrl));
      expect(await page.getByTestId('closed').textContent()).toBe('This is already paid');
      expect(await findings()).toEqual([]);
      expect(bench.sandbox.state.charges.size).toBe(1);
      await page.context().close();
    },
  );
});
