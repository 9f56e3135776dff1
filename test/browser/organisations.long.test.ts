import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { balanceOf, expectSound, signIn } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

const walletIn = (page: Page) => page.getByLabel('Wallet that the pages are about');

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  test(
    'an organisation is opened, somebody invited with a cap, joins, looks at its wallet, and is made less',
    { timeout: STORY_MS },
    async ({ open }) => {
      const look = `${scheme}-${width}`;
      const [owner, guest] = [await open(scheme, width), await open(scheme, width)];
      await signIn(owner, `Olga ${look}`);
      await signIn(guest, `Gus ${look}`);
      expect(await walletIn(owner).count()).toBe(0);

      await owner.goto('/account');
      await owner.getByText('You are in no organisation').waitFor();
      await expectSound(owner, `account-organisations-${look}`);
      await owner.getByRole('button', { name: 'New organisation…' }).click();
      await owner.getByRole('button', { name: 'Open it' }).click();
      await owner.getByText('Enter a name.').waitFor();
      await owner.getByRole('dialog').getByLabel('Name').fill('Ada & Friends');
      await owner.keyboard.press('Enter');
      await owner.getByRole('heading', { name: 'Ada & Friends' }).waitFor();
      await owner.getByText('Nobody is invited').waitFor();

      await owner.getByRole('button', { name: 'Invite somebody…' }).click();
      await owner.getByLabel('Monthly cap in US dollars').fill('ten');
      await owner.getByRole('button', { name: 'Make the link' }).click();
      await owner.getByText('Enter dollars, for example 50.00').waitFor();
      await expectSound(owner, `organisation-invite-${look}`);
      await owner.getByLabel('Monthly cap in US dollars').fill('12.50');
      await owner.getByRole('button', { name: 'Make the link' }).click();
      const link = (await owner.getByTestId('invitation-link').textContent()) ?? '';
      await expectSound(owner, `organisation-link-${look}`);
      await owner.getByRole('button', { name: 'Done' }).click();
      await owner.getByText('whoever has the link').waitFor();

      const path = new URL(link).pathname;
      await guest.goto(path);
      await guest.getByRole('heading', { name: 'Ada & Friends invites you' }).waitFor();
      await guest.getByText('You may spend up to $12.50 a month.').waitFor();
      await expectSound(guest, `invitation-${look}`);
      await guest.getByRole('button', { name: 'Accept' }).click();
      await guest.getByRole('heading', { name: 'Ada & Friends', exact: true }).waitFor();
      await guest.getByText('of at most').waitFor();
      expect(await guest.getByRole('button', { name: 'Invite somebody…' }).count()).toBe(0);
      await expectSound(guest, `organisation-member-${look}`);
      await guest.getByRole('button', { name: 'Open its wallet' }).click();
      await guest.getByTestId('balance').waitFor();
      expect(await walletIn(guest).locator('option:checked').textContent()).toBe('Ada & Friends');
      await guest.getByRole('heading', { name: 'Add money' }).waitFor();
      expect(await guest.getByText('Saved cards').count()).toBe(0);
      await expectSound(guest, `organisation-wallet-${look}`);
      // Remembered by the browser, and left by keyboard.
      await guest.reload();
      await guest.getByTestId('balance').waitFor();
      expect(await walletIn(guest).locator('option:checked').textContent()).toBe('Ada & Friends');
      await walletIn(guest).focus();
      await guest.keyboard.press('ArrowUp');
      expect(await walletIn(guest).locator('option:checked').textContent()).toBe('My wallet');
      await guest.getByRole('heading', { name: 'Saved cards' }).waitFor();
      expect(await balanceOf(guest)).toBe('$0.00');

      await owner.reload();
      await owner.getByRole('button', { name: `Change Gus ${look}` }).click();
      await owner.getByRole('dialog').getByLabel('Role').selectOption('viewer');
      await expectSound(owner, `organisation-change-${look}`);
      await owner.getByRole('button', { name: 'Save' }).first().click();
      await owner.getByText('Saved.', { exact: true }).waitFor();
      await expectSound(owner, `organisation-owner-${look}`);
      await walletIn(guest).selectOption({ label: 'Ada & Friends' });
      await guest.reload();
      await guest.getByText('as a viewer').waitFor();
      expect(await guest.getByRole('heading', { name: 'Add money' }).count()).toBe(0);
      await guest.goto('/events');
      await guest.getByText('An owner of Ada & Friends can add one.').waitFor();
      expect(await guest.getByRole('button', { name: 'Add an endpoint' }).count()).toBe(0);
      await expectSound(guest, `organisation-viewer-${look}`);

      await owner.getByRole('button', { name: 'Leave…' }).click();
      await owner.getByRole('button', { name: 'Leave it' }).click();
      await owner.getByText('This is the last owner.').waitFor();
      await expectSound(owner, `organisation-last-owner-${look}`);
      await guest.goto(path);
      await guest.getByText('This invitation is not good, or not any more').waitFor();
      await expectSound(guest, `invitation-used-${look}`);
    },
  );
});
