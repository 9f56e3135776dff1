import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn, signInAsOperator, startTopUp } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

/** A session of the same person from elsewhere: without a browser, and named as a test wants. */
const signInElsewhere = async (name: string, agent: string): Promise<void> => {
  const { url } = stage.server;
  const headers = { 'content-type': 'application/json', origin: url, 'user-agent': agent };
  const answer = await fetch(`${url}/login/sandbox`, { method: 'POST', headers, body: JSON.stringify({ name }) });
  expect(answer.status).toBe(200);
};

async function download(page: Page, button: string): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
  return readFileSync(await file.path(), 'utf8');
}

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test('an account: its ways in, its sessions, its data, and its end', { timeout: STORY_MS }, async ({ open }) => {
    const name = `Grace ${look}`;
    const page = await open(scheme, width);
    await signIn(page, name);
    await page.goto('/account');
    await page.getByText('You are signed in nowhere else.').waitFor();
    await page.getByText('This is your only way in').waitFor();
    await expectSound(page, `account-${look}`);

    await signInElsewhere(name, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0');
    await signInElsewhere(name, 'curl/8.5.0');
    const other = await open(scheme, width);
    await signIn(other, name);
    await page.reload();
    await page.getByText('Firefox on Linux').waitFor();
    await expectSound(page, `account-sessions-${look}`);
    await page.getByRole('button', { name: 'End the session of curl' }).click();
    await page.getByText('One session is ended.', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'End all others' }).click();
    await page.getByText('You are signed in nowhere else.').waitFor();
    await other.reload();
    await other.getByRole('button', { name: 'Open my wallet' }).waitFor();

    const told = JSON.parse(await download(page, 'Download my data')) as Record<string, unknown>;
    expect(told['profile']).toMatchObject([{ display_name: name }]);
    expect(await download(page, 'Download the statement')).toMatch(/^\uFEFF?seq,recorded_at/);

    await startTopUp(page, '25');
    await page.goto('/account');
    await page.getByRole('button', { name: 'Delete my account…' }).click();
    await page.getByText('A top-up is not finished').waitFor();
    await expectSound(page, `account-not-yet-${look}`);
    await page.keyboard.press('Escape');

    const leaving = await open(scheme, width);
    await signIn(leaving, `Leaving ${look}`);
    await leaving.goto('/account');
    await leaving.getByRole('button', { name: 'Delete my account…' }).click();
    await leaving.getByRole('button', { name: 'Delete it' }).click();
    await leaving.getByText('Type the word delete.').waitFor();
    await expectSound(leaving, `account-delete-${look}`);
    // By keyboard alone: the field that is to change has the focus.
    await leaving.keyboard.type('delete');
    await leaving.keyboard.press('Enter');
    await leaving.getByText('Your account is deleted.', { exact: true }).waitFor();
    await leaving.getByRole('button', { name: 'Open my wallet' }).waitFor();
    await expectSound(leaving, `account-deleted-${look}`);
    await signIn(leaving, `Leaving ${look}`);
    expect(await leaving.getByTestId('balance').textContent()).toMatch(/0\.00/);
  });
});

/** What breaks out of text, attributes, addresses, style and script where somebody pastes a text into a page. */
const PAYLOADS = [
  '<img src=x onerror=window.__xss=1>',
  '<svg onload=window.__xss=1>',
  '<svg><script>window.__xss=1</script></svg>',
  '<script>window.__xss=1</script>',
  '"><script>window.__xss=1</script>',
  "'><img src=x onerror=window.__xss=1>",
  '</title><script>window.__xss=1</script>',
  '</textarea><script>window.__xss=1</script>',
  '</style><script>window.__xss=1</script>',
  '<!--><script>window.__xss=1</script>',
  'javascript:window.__xss=1',
  'JaVaScRiPt:window.__xss=1//',
  'data:text/html,<script>window.__xss=1</script>',
  '<a href="javascript:window.__xss=1">x</a>',
  '<iframe srcdoc="<script>top.__xss=1</script>">',
  '<details open ontoggle=window.__xss=1>',
  '<body onload=window.__xss=1>',
  '<input autofocus onfocus=window.__xss=1>',
  '<video><source onerror=window.__xss=1>',
  '<math><mi xlink:href="javascript:window.__xss=1">',
  '<base href="https://evil.example/">',
  '<meta http-equiv=refresh content="0;url=javascript:window.__xss=1">',
  '[x](javascript:window.__xss=1)',
  '![x](x"onerror="window.__xss=1)',
  '{{constructor.constructor("window.__xss=1")()}}',
  '${window.__xss=1}',
  '" onmouseover="window.__xss=1',
  '&lt;script&gt;window.__xss=1&lt;/script&gt;',
  '%3Cscript%3Ewindow.__xss=1%3C/script%3E',
  '<object data="javascript:window.__xss=1">',
];

test(
  'J12 a name, a way to sign in and what a browser calls itself are text, whatever they say',
  { timeout: STORY_MS },
  async ({ open }) => {
    const xss = (page: Page): Promise<unknown> => page.evaluate(() => Reflect.get(window, '__xss'));
    const [first = ''] = PAYLOADS;
    for (const payload of PAYLOADS) {
      await signInElsewhere(payload, 'curl/8.5.0');
      await signInElsewhere(first, payload);
    }
    const page = await open();
    await signIn(page, first);
    expect(await xss(page)).toBeUndefined();
    await page.goto('/account');
    for (const payload of PAYLOADS) await page.getByTitle(payload, { exact: true }).first().waitFor();
    expect(await xss(page)).toBeUndefined();
    const operator = await open();
    await signInAsOperator(operator);
    await operator.getByText(PAYLOADS[9] ?? '', { exact: true }).waitFor();
    expect(await xss(operator)).toBeUndefined();
    expect(await operator.locator('main img, main svg script, main iframe, base').count()).toBe(0);
  },
);
