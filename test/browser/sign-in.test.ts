import { describe } from 'vitest';
import type { Page } from 'playwright-core';
import { LOOKS, openStage } from './stage.ts';
import { askProofOnce, expectSound, sees } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

/** From the sign-in page to the Forge. */
async function toForge(page: Page, path = '/'): Promise<void> {
  await page.goto(path);
  await page.getByRole('link', { name: 'Sign in with Forge (simulated)' }).click();
  await page.getByRole('heading', { name: 'Sign in to the Forge' }).waitFor();
}

async function createAccount(page: Page, name: string): Promise<void> {
  await page.getByLabel('A new name').fill(name);
  await page.getByTestId('create').click();
  await page.getByTestId('authorize').waitFor();
}

const isSignedInAs = async (page: Page, name: string): Promise<void> => {
  await page.getByTestId('balance').waitFor();
  await page.getByRole('banner').getByText(name, { exact: true }).waitFor();
};

describe.each(LOOKS)('in %s, %i px wide', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'a newcomer signs in through the Forge, and is told what to do when it comes to nothing',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      await page.goto('/usage');
      await page.getByRole('link', { name: 'Sign in with Forge (simulated)' }).waitFor();
      await expectSound(page, `sign-in-ways-${look}`);
      await toForge(page, '/usage');
      await expectSound(page, `forge-people-${look}`);
      await createAccount(page, `Nia ${look}`);
      await expectSound(page, `forge-consent-${look}`);
      await page.getByTestId('deny').click();
      await sees(page, 'You did not agree to sign in');
      await expectSound(page, `sign-in-denied-${look}`);
      await page.getByRole('link', { name: 'Try again with Forge (simulated)' }).click();
      await page.getByTestId(`person-nia-${look}`).click();
      await page.getByTestId('authorize').click();
      // The page that was asked for before all of it.
      await page.waitForURL('**/usage');
      await page.getByRole('banner').getByText(`Nia ${look}`).waitFor();
      await page.goto('/sign-in/failed?problem=expired&with=forge&return_to=/usage');
      await sees(page, 'That sign-in took too long');
      await page.getByText(`You are signed in as Nia ${look}`).waitFor();
      await expectSound(page, `sign-in-expired-${look}`);
    },
  );
});

test(
  'J06 two browsers at once, the back button and an answer in the wrong browser',
  { timeout: STORY_MS },
  async ({ open }) => {
    const [one, other] = [await open(), await open()];
    await toForge(one);
    await toForge(other);
    await createAccount(one, 'One');
    await createAccount(other, 'Other');
    await one.getByTestId('authorize').click();
    await isSignedInAs(one, 'One');
    // The answer to the other browser's attempt, opened in this one: nobody becomes the other.
    const person = await other.locator('input[name="person"]').inputValue();
    const form = { person, consent: 'yes' };
    const { location = '' } = (await other.request.post(other.url(), { form, maxRedirects: 0 })).headers();
    await one.goto(location);
    await sees(one, 'This browser did not begin that sign-in');
    await one.getByText('You are signed in as One').waitFor();
    await other.goto(location);
    await isSignedInAs(other, 'Other');
    await other.getByRole('button', { name: 'Sign out' }).click();
    await toForge(other);
    await other.getByTestId('person-other').click();
    await isSignedInAs(other, 'Other');
    // Back at the Forge, and once more on: nothing is done twice, and nobody is signed out.
    await other.goBack();
    await other.getByTestId('person-other').click();
    await sees(other, 'This browser did not begin that sign-in');
    await other.getByText('You are signed in as Other').waitFor();
    await other.getByRole('link', { name: 'Go on' }).click();
    await isSignedInAs(other, 'Other');
  },
);

test('works by keyboard alone', { timeout: STORY_MS }, async ({ open }) => {
  const page = await open();
  await page.goto('/');
  const link = page.getByRole('link', { name: 'Sign in with Forge (simulated)' });
  await link.waitFor();
  for (let tab = 0; tab < 10 && !(await link.evaluate((node) => node === document.activeElement)); tab += 1)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sign in to the Forge' }).waitFor();
  await page.getByTestId('person-ada').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('authorize').focus();
  await page.keyboard.press('Enter');
  await isSignedInAs(page, 'Ada Lovelace');
});

test(
  'J15 who they are is shown again through the Forge, and they are back on their page',
  { timeout: STORY_MS },
  async ({ open }) => {
    const page = await open();
    await toForge(page);
    await createAccount(page, 'Paul');
    await page.getByTestId('authorize').click();
    await isSignedInAs(page, 'Paul');
    await page.goto('/account');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('What it is for').fill('a script');
    await askProofOnce(page, '/v1/keys');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const question = page.getByRole('dialog', { name: 'Show once more who you are' });
    await question.getByRole('button', { name: 'Show it with Forge (simulated)' }).waitFor();
    await expectSound(page, 'proof-by-forge');
    await question.getByRole('button', { name: 'Show it with Forge (simulated)' }).click();
    await page.getByTestId('person-paul').click();
    await page.waitForURL('**/account');
    await page.getByRole('banner').getByText('Paul', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('What it is for').fill('a script');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByTestId('user-key').waitFor();
  },
);
