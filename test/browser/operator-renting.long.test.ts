import { describe, expect } from 'vitest';
import type { Page } from 'playwright-core';
import { PUBLIC_KEY } from '../allocation/public-key.ts';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, goTo, signIn, signInAsOperator } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 180_000;

/** Somebody who has a plan and a VM of it. */
async function rent(page: Page, name: string, vm: string): Promise<string> {
  const { asOperator } = stage.server;
  await signIn(page, name);
  const found = await asOperator<{ items: readonly { sid: string }[] }>(
    `/v1/billings?search=${encodeURIComponent(name)}`,
  );
  const sid = found.items[0]?.sid ?? '';
  await asOperator('/admin/balance-adjust', { sid, balance_cents: 5_000 });
  await asOperator('/plan/buy', { sid, plan: 'vm-5' });
  await page.goto('/ssh-keys');
  await page.getByRole('button', { name: 'Add a key…' }).click();
  await page.getByLabel('Public key').fill(PUBLIC_KEY);
  await page.getByRole('button', { name: 'Add the key' }).click();
  await page.getByRole('button', { name: 'Remove ada@laptop' }).waitFor();
  await page.goto('/vms');
  await page.getByRole('button', { name: 'Ask for a VM…' }).click();
  await page.getByLabel('Name').fill(vm);
  await page.getByRole('button', { name: 'Ask for it' }).click();
  await page.getByRole('button', { name: `Give back ${vm}` }).waitFor();
  return sid;
}

/** A moment as the browser's own field takes it; the browser lives in UTC. */
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 16);

describe.each(LOOKS)('renting, for operators, %s at %i pixels', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'the pool is filled, drained and cleaned, and shows which VM is where',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      await signInAsOperator(page);
      if (width < 1024) {
        const menu = page.getByRole('button', { name: 'Menu' });
        await menu.press('Enter');
        await page.getByRole('heading', { name: 'Renting' }).waitFor();
        await expectSound(page, `operator-menu-${look}`);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Escape');
        expect(await menu.evaluate((button) => button === document.activeElement)).toBe(true);
        expect(await menu.getAttribute('aria-expanded')).toBe('false');
      }
      await goTo(page, 'Renting', 'Pool');
      await page.getByRole('heading', { name: 'Auto-release' }).waitFor();
      await expectSound(page, `pool-first-${look}`);
      await page.getByRole('button', { name: 'Add machines…' }).click();
      await page.getByLabel('Machines, a line each').fill('rack-1');
      await page.getByRole('button', { name: 'Add them' }).click();
      await page.getByText('Line 1: write an address').waitFor();
      await page.getByLabel('Machines, a line each').fill(`rack_${look} a.example.org\n`);
      await page.getByRole('button', { name: 'Add them' }).click();
      await page.getByText('Machine 1, host').waitFor();
      await expectSound(page, `pool-add-${look}`);
      const lines = [1, 2, 3].map((number) => `rack-${number} vm${number}.${look}.example.org:2207 room=b`);
      await page.getByLabel('Machines, a line each').fill(lines.join('\n'));
      await page.getByRole('button', { name: 'Add them' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByText(`vm3.${look}`).waitFor();

      const user = await open(scheme, width);
      const name = `Rita Renter ${look}`;
      const sid = await rent(user, name, 'web-1');
      await page.reload();
      await page.getByText('In use').locator('visible=true').first().waitFor();
      await page.getByRole('button', { name: new RegExp(`^Drain: rack-3, vm3.${look}`) }).click();
      await expectSound(page, `pool-drain-${look}`);
      await page.getByRole('button', { name: 'Drain it' }).click();
      await page.getByText('Draining').locator('visible=true').last().waitFor();
      await page.getByRole('button', { name: 'Release now' }).click();
      await page.getByText('0 taken back').first().waitFor();
      await expectSound(page, `pool-${look}`);

      await goTo(page, 'Renting', 'VMs');
      await page.getByRole('button', { name: `Give back web-1 of ${sid}` }).waitFor();
      await expectSound(page, `operator-vms-${look}`);
      await page.getByRole('button', { name: `Give back web-1 of ${sid}` }).click();
      await page.getByRole('button', { name: 'Give it back' }).click();
      await page.getByText('Being given back').locator('visible=true').first().waitFor();
      await page.goto('/operator/pool?state=cleaning');
      await page
        .getByRole('button', { name: /^Confirm clean: / })
        .first()
        .click();
      await page.getByText('would be theirs to read').waitFor();
      await expectSound(page, `pool-clean-${look}`);
      await page.getByRole('button', { name: 'It is clean' }).click();
      await page.getByText('None in this state').waitFor();
      await page.goto('/operator/pool?state=free');
      await page.getByRole('button', { name: `Remove: rack-3, vm3.${look}.example.org:2207` }).click();
      await page.getByRole('button', { name: 'Remove it' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByText(`vm3.${look}`).waitFor({ state: 'detached' });
      // What the next look counts on is free again.
      await page.getByRole('button', { name: 'Removed' }).click();
      await page.getByText(`vm3.${look}`).waitFor();
    },
  );

  test('credit is given after a preview, and revoked with a reason', { timeout: STORY_MS }, async ({ open }) => {
    const user = await open(scheme, width);
    const name = `Greta Gift ${look}`;
    await signIn(user, name);
    const page = await open(scheme, width);
    await signInAsOperator(page);
    await page.getByLabel('Find a wallet').fill(name);
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByRole('link', { name: '$0.00' }).click();
    await page.getByText('Nothing was given so far').waitFor();
    await expectSound(page, `grants-none-${look}`);
    await page.getByRole('button', { name: 'Give credit…' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Say what it is for.').waitFor();
    await expectSound(page, `grants-give-${look}`);
    await page.getByLabel('Amount in US dollars').fill('5');
    await page.getByLabel('It ends, if it does').fill('2099-01-01T00:00');
    await page.getByLabel('What it is for').fill('Sorry for the outage');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('button', { name: 'Give $5.00' }).waitFor();
    await expectSound(page, `grants-preview-${look}`);
    await page.getByRole('button', { name: 'Give $5.00' }).dblclick();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Revoke: Sorry/ }).waitFor();
    expect(await page.getByRole('button', { name: /^Revoke: / }).count(), 'pressed twice, given once').toBe(1);
    await expectSound(page, `grants-${look}`);
    await user.reload();
    await user.getByText('Sorry for the outage').waitFor();
    await page.getByRole('button', { name: /^Revoke: Sorry/ }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Say why.').waitFor();
    await page.getByLabel('Reason').fill('to the wrong one');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('button', { name: 'Take back $5.00' }).waitFor();
    await expectSound(page, `grants-revoke-${look}`);
    await page.getByRole('button', { name: 'Take back $5.00' }).click();
    await page.getByText('Revoked').locator('visible=true').last().waitFor();
    await page.getByRole('button', { name: 'Used up' }).click();
    await page.getByText('None in this state').waitFor();
  });

  test(
    'an outage is recorded after a preview, ends, and says what went back',
    { timeout: STORY_MS },
    async ({ open }) => {
      const user = await open(scheme, width);
      const host = `down-${look}`;
      const machines = [{ host, address: `${host}.example.org`, size: 'small' }];
      await stage.server.asOperator('/v1/machines', { machines });
      await rent(user, `Otto Outage ${look}`, 'db-1');
      const page = await open(scheme, width);
      await signInAsOperator(page);
      await page.goto('/operator/outages');
      await page.getByRole('button', { name: 'Record an outage…' }).click();
      await page.getByRole('button', { name: 'Preview' }).click();
      await page.getByText('Enter the name of the host.').waitFor();
      await expectSound(page, `outages-record-${look}`);
      const there = await stage.server.asOperator<{ items: readonly { host: string }[] }>('/v1/allocations?limit=1');
      await page.getByLabel('Name of the host').fill(there.items[0]?.host ?? '');
      await page.getByLabel('Down from').fill(minutesAgo(1));
      await page.getByLabel('What happened').fill('power cut');
      await page.getByRole('button', { name: 'Preview' }).click();
      await page.getByRole('cell', { name: 'db-1' }).waitFor();
      await expectSound(page, `outages-preview-${look}`);
      await page.getByRole('button', { name: 'Back', exact: true }).click();
      await page.getByLabel('Name of the host').fill(`nothing-${look}`);
      await page.getByLabel('Down from').fill(minutesAgo(120));
      await page.getByRole('button', { name: 'Preview' }).click();
      await page.getByText('Nothing would be given back').waitFor();
      await expectSound(page, `outages-nothing-${look}`);
      await page.getByRole('button', { name: 'Record it', exact: true }).click();
      await page.getByRole('heading', { name: `Host nothing-${look}` }).waitFor();
      await page.getByText('While it goes on nothing is given back yet').waitFor();
      await expectSound(page, `outage-open-${look}`);
      await page.getByRole('button', { name: 'It is up again' }).click();
      await page.getByLabel('Up again at').waitFor();
      await expectSound(page, `outage-end-${look}`);
      await page.getByRole('button', { name: 'It is up: give back' }).click();
      await page.getByText('Done').locator('visible=true').first().waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'It was not down' }).click();
      await page.getByLabel('Reason').fill('another host');
      await page.getByRole('dialog').getByRole('button', { name: 'It was not down' }).click();
      await page.getByText('It was taken back.').waitFor();
      await expectSound(page, `outage-cancelled-${look}`);
      await page.goto('/operator/outages');
      await page.getByRole('link', { name: `Host nothing-${look}` }).waitFor();
      await expectSound(page, `outages-${look}`);
    },
  );
});
