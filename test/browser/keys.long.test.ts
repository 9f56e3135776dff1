import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn } from './visitor.ts';

const stage = openStage();
const { test } = stage;

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test('a key: made and told once, used, rotated, revoked', { timeout: 120_000 }, async ({ open }) => {
    const page = await open(scheme, width);
    await signIn(page, `Kay ${look}`);
    await page.goto('/account');
    await page.getByText('No keys yet').waitFor();
    await expectSound(page, `keys-empty-${look}`);
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel(/^Read:/).uncheck();
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('Say what it is for.').waitFor();
    await page.getByText('Choose at least one.').waitFor();
    await expectSound(page, `keys-refused-${look}`);
    await page.getByLabel('What it is for').fill('My <b>gateway</b>');
    await page.getByLabel(/^Read:/).check();
    await page.getByLabel(/^Spend:/).check();
    await page.getByText('can spend all that is in the wallet').waitFor();
    await expectSound(page, `keys-create-${look}`);
    await page.getByRole('button', { name: 'Make the key' }).click();
    const shown = page.getByTestId('user-key');
    const key = (await shown.textContent()) ?? '';
    expect(key).toMatch(/^uk_[0-9a-z]{16}_[\w-]{43}$/);
    await page.keyboard.press('Escape');
    await expectSound(page, `keys-shown-${look}`);
    await page.getByRole('button', { name: 'I have stored the key' }).click();
    const row = page.getByRole('row', { name: /My <b>gateway<\/b>/ });
    await row.getByText('reads, spends · last used never').waitFor();
    const whose = (text: string): Promise<Response> =>
      fetch(`${stage.server.url}/v1/payments`, { headers: { authorization: `Bearer ${text}` } });
    expect((await whose(key)).status).toBe(200);
    await row.getByRole('button', { name: 'Rotate' }).click();
    await expectSound(page, `keys-rotate-${look}`);
    await page.getByRole('button', { name: 'Make a new key' }).click();
    await shown.waitFor();
    const next = (await shown.textContent()) ?? '';
    await page.getByRole('button', { name: 'I have stored the key' }).click();
    await row.getByText(/The key before it is good until/).waitFor();
    await expectSound(page, `keys-${look}`);
    expect([(await whose(key)).status, (await whose(next)).status]).toEqual([200, 200]);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await expectSound(page, `keys-revoke-${look}`);
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await row.getByText('Revoked', { exact: true }).waitFor();
    expect([(await whose(key)).status, (await whose(next)).status]).toEqual([401, 401]);
    await expectSound(page, `keys-ended-${look}`);
  });
});
