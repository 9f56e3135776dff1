import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { accessibilityFindings } from './accessibility.ts';

const OUTPUT = fileURLToPath(new URL('../output/', import.meta.url));

export type Scheme = 'light' | 'dark';

export interface Visitor {
  readonly page: Page;
  /** What the browser complained about, besides answers with an error status: violations of the content policy, exceptions. */
  readonly complaints: readonly string[];
  leave(): Promise<void>;
}

/** A person with a browser of their own: no cookies, no history. */
export async function visit(
  browser: Browser,
  { url, scheme = 'light', width = 1280 }: { readonly url: string; readonly scheme?: Scheme; readonly width?: number },
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: scheme,
    viewport: { width, height: 800 },
    // What moves is seen half-way by axe and by screenshots.
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  return { page, complaints, leave: () => context.close() };
}

export async function signIn(page: Page, name: string): Promise<void> {
  await page.goto('/');
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Open my wallet' }).click();
  await page.getByTestId('balance').waitFor();
}

export async function signInAsOperator(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign in as operator' }).click();
  await page.getByRole('heading', { name: 'Wallets' }).waitFor();
}

/** By the bar at the top: a wide screen has the group, then its page; a small one has the page in a list behind a button. */
export async function goTo(page: Page, ...titles: readonly [string, ...string[]]): Promise<void> {
  const bar = page.getByRole('navigation');
  const link = (name: string): Locator => bar.getByRole('link', { name, exact: true }).first();
  await bar.first().waitFor();
  const button = bar.getByRole('button', { name: /^(Menu|More)$/ });
  const last = titles.at(-1) ?? titles[0];
  if ((await button.count()) === 0) {
    for (const title of titles) await link(title).click();
    return;
  }
  if ((await link(last).count()) === 0) await button.click();
  await link(last).click();
}

/** From the wallet to the hosted checkout page of the provider. */
export async function startTopUp(page: Page, amount: string): Promise<void> {
  await page.goto('/wallet');
  await page.getByLabel('Amount in US dollars').fill(amount);
  await page.getByRole('button', { name: 'Continue to payment' }).click();
  await page.getByTestId('pay').waitFor();
}

/** The simulator's own number of the checkout that the page shows. */
export function sessionOf(page: Page): string {
  const [session] = /cs_[A-Za-z0-9_]+/.exec(page.url()) ?? [];
  if (session === undefined) throw new Error(`not a checkout page: ${page.url()}`);
  return session;
}

/** Waits until the page of the payment says so by itself, without a reload. */
export const sees = (page: Page, headline: string): Promise<void> =>
  page.getByRole('heading', { name: headline }).waitFor();

export const balanceOf = (page: Page): Promise<string | null> => page.getByTestId('balance').textContent();

/** No finding of axe, of whatever severity; fits its window; with PHOTOGRAPHS=1 a screenshot in test/output. */
export async function expectSound(page: Page, name: string): Promise<void> {
  await page
    .getByText(/^Loading /)
    .first()
    .waitFor({ state: 'detached' });
  // A button that fades from one colour to the next has a contrast of neither.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((animation) => animation instanceof CSSTransition)
        .map((transition) => transition.finished),
    ),
  );
  if (process.env['PHOTOGRAPHS'] === '1') await photograph(page, name);
  expect(await accessibilityFindings(page)).toEqual([]);
  const overhang = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overhang, `${name} is wider than its window`).toBeLessThanOrEqual(0);
}

export async function photograph(page: Page, name: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true });
}

/** The server finds the session too old for the next such request; only once, as after a real proof. */
export async function askProofOnce(page: Page, path: string): Promise<void> {
  const body = {
    title: 'Show once more who you are',
    status: 403,
    code: 'reauth_required',
    detail: 'Show once more who you are.',
  };
  await page.route(
    `**${path}`,
    (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(body) }),
    { times: 1 },
  );
}
