import { describe, expect } from 'vitest';
import type { Billing, Page as ListPage, Machine, ServiceClock, Standing } from '../../web/surface.ts';
import { PUBLIC_KEY } from '../allocation/public-key.ts';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, goTo, signIn } from './visitor.ts';

// A short grace: a clock that is moved for days looks at each moment of them at which something is due.
const stage = openStage({ HERO_ONBOARDING_GRACE_HOURS: '1' });
const { test } = stage;
const STORY_MS = 240_000;

async function walletOf(name: string): Promise<Billing> {
  const path = `/v1/billings?search=${encodeURIComponent(name)}`;
  const [wallet] = (await stage.server.asOperator<ListPage<Billing>>(path)).items;
  if (!wallet) throw new Error(`no wallet of ${name}`);
  return wallet;
}

/** However long it takes: it is answered before it is there. */
async function advance(by: string): Promise<void> {
  const { asOperator } = stage.server;
  await asOperator('/v1/clock/advance', { by });
  await expect.poll(async () => (await asOperator<ServiceClock>('/v1/clock')).goal, { timeout: 60_000 }).toBeNull();
}

describe.each(LOOKS)('VMs, %s at %i pixels', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test(
    'somebody adds an SSH key, has VMs, says which stops first, and gives one back',
    { timeout: STORY_MS },
    async ({ open }) => {
      const { asOperator } = stage.server;
      const left = await asOperator<ListPage<Machine>>('/v1/machines?state=free');
      for (const { sid } of left.items) await asOperator(`/v1/machines/${sid}/remove`, {});
      const page = await open(scheme, width);
      const name = `Viola VM ${look}`;
      await signIn(page, name);
      await goTo(page, 'VMs');
      await page.getByText('A VM takes a plan').waitFor();
      await expectSound(page, `vms-no-plan-${look}`);

      const wallet = await walletOf(name);
      await asOperator('/admin/balance-adjust', { sid: wallet.sid, balance_cents: 1_000 });
      await asOperator('/plan/buy', { sid: wallet.sid, plan: 'vm-5' });
      await page.reload();
      await page.getByRole('button', { name: 'Ask for a VM…' }).click();
      await page.getByText('You have no SSH key').waitFor();
      await expectSound(page, `vms-no-key-${look}`);
      await page.getByRole('link', { name: 'Add an SSH key' }).click();
      await page.getByText('No SSH keys').waitFor();
      await expectSound(page, `ssh-keys-none-${look}`);
      await page.getByRole('button', { name: 'Add a key…' }).click();
      await page.getByLabel('Public key').fill('-----BEGIN OPENSSH PRIVATE KEY-----');
      await page.getByRole('button', { name: 'Add the key' }).click();
      await page.getByText('That is a private key').waitFor();
      await page.getByLabel('Public key').fill('ssh-ed25519 AAAA');
      await page.getByRole('button', { name: 'Add the key' }).click();
      await page.getByText('The key is damaged').waitFor();
      await expectSound(page, `ssh-keys-wrong-${look}`);
      await page.getByLabel('Public key').fill(PUBLIC_KEY);
      await page.getByRole('button', { name: 'Add the key' }).click();
      await page.getByRole('button', { name: 'Remove ada@laptop' }).waitFor();
      await expectSound(page, `ssh-keys-${look}`);

      await page.goto('/vms');
      await page.getByText('0 of 5').waitFor();
      await expectSound(page, `vms-none-${look}`);
      const ask = async (vm: string): Promise<void> => {
        await page.getByRole('button', { name: 'Ask for a VM…' }).click();
        await page.getByLabel('Name').fill(vm);
        await page.getByRole('button', { name: 'Ask for it' }).click();
      };
      await ask('Not a name');
      await page.getByText('Use 1 to 63 small letters').waitFor();
      await expectSound(page, `vms-ask-${look}`);
      await page.getByLabel('Name').fill('web-1');
      await page.getByRole('button', { name: 'Ask for it' }).click();
      await page.getByText('Nothing was taken of your plan').waitFor();
      await expectSound(page, `vms-pool-empty-${look}`);
      await page.getByRole('button', { name: 'Not now' }).click();
      const machines = ['a', 'b', 'c'].map((letter) => ({
        host: `rack-${letter}`,
        address: `vm-${letter}.${look}.example.org:2207`,
        size: 'small',
      }));
      await asOperator('/v1/machines', { machines });
      for (const vm of ['web-1', 'db-1']) {
        await ask(vm);
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: `Give back ${vm}` }).waitFor();
      }
      await page.getByText('2 of 5').waitFor();
      await page.getByText('Which stops first').waitFor();
      await expectSound(page, `vms-${look}`);

      const places = page.getByRole('listitem').filter({ hasText: /-1/ });
      expect(await places.first().textContent()).toContain('db-1');
      await page.getByRole('button', { name: 'Later: db-1' }).press('Enter');
      expect(await places.first().textContent()).toContain('web-1');
      await expectSound(page, `vms-order-${look}`);
      await page.getByRole('button', { name: 'Keep this order' }).click();
      await page.getByText('The order is kept.').first().waitFor();
      await page.reload();
      await page.getByText('Which stops first').waitFor();
      expect(await places.first().textContent()).toContain('web-1');

      await page.getByRole('button', { name: 'Give back db-1' }).click();
      await page.getByText('Its disk is wiped.').waitFor();
      await expectSound(page, `vms-release-${look}`);
      await page.getByRole('button', { name: 'Give it back' }).click();
      await page.getByText('Being given back').locator('visible=true').first().waitFor();
      const cleaning = await asOperator<ListPage<Machine>>('/v1/machines?state=cleaning');
      for (const { sid } of cleaning.items) await asOperator(`/v1/machines/${sid}/confirm-clean`, {});
      await page.getByText('1 of 5').waitFor();
      await page.getByRole('button', { name: 'Given back' }).click();
      await page.getByText('by its owner').first().waitFor();
      await expectSound(page, `vms-past-${look}`);

      await page.goto('/ssh-keys');
      await page.getByRole('button', { name: 'Remove ada@laptop' }).click();
      await expectSound(page, `ssh-keys-remove-${look}`);
      await page.getByRole('button', { name: 'Remove it' }).click();
      await page.getByText('No SSH keys').waitFor();
    },
  );
});

test(
  'who runs dry is told what comes next, has their VM stopped, and may fetch once what is on it',
  { timeout: STORY_MS },
  async ({ open }) => {
    const { asOperator } = stage.server;
    const name = 'Dora Dry';
    const pages = await Promise.all(
      LOOKS.map(async ([scheme, width]) => ({ page: await open(scheme, width), look: `${scheme}-${width}` })),
    );
    const [first] = pages;
    if (first === undefined) throw new Error('there is a look at least');
    const { page } = first;
    const eachSees = async (path: string, text: string, photograph: string): Promise<void> => {
      for (const { page: one, look } of pages) {
        await one.goto(path);
        await one.getByText(text).first().waitFor();
        await expectSound(one, `${photograph}-${look}`);
      }
    };
    // Sessions end while the clock is moved.
    const signInAgain = async (): Promise<void> => {
      for (const { page: one } of pages) await signIn(one, name);
    };
    await signIn(page, name);
    const { sid } = await walletOf(name);
    await asOperator('/admin/balance-adjust', { sid, balance_cents: 1_000 });
    await asOperator('/plan/buy', { sid, plan: 'vm-5' });
    await asOperator('/v1/machines', { machines: [{ host: 'dry', address: 'dry.example.org', size: 'small' }] });
    await page.goto('/ssh-keys');
    await page.getByRole('button', { name: 'Add a key…' }).click();
    await page.getByLabel('Public key').fill(PUBLIC_KEY);
    await page.getByRole('button', { name: 'Add the key' }).click();
    await page.getByRole('button', { name: 'Remove ada@laptop' }).waitFor();
    await page.goto('/vms');
    await page.getByRole('button', { name: 'Ask for a VM…' }).click();
    await page.getByLabel('Name').fill('web-1');
    await page.getByRole('button', { name: 'Ask for it' }).click();
    await page.getByText('1 of 5').waitFor();

    await advance('30d');
    await signInAgain();
    await eachSees('/vms', 'will be stopped on', 'vms-grace');
    await advance('2h');
    const stopped = async (): Promise<number> =>
      (await asOperator<Standing>(`/v1/billings/${sid}/standing`)).stopped_vms;
    await expect.poll(stopped, { timeout: 30_000 }).toBe(1);
    await signInAgain();
    await eachSees('/wallet', 'Start them once more…', 'wallet-suspended');
    await eachSees('/vms', 'keeps what is on it', 'vms-suspended');
    await page.getByRole('button', { name: 'Start them once more…' }).click();
    await expectSound(page, `vms-rescue-${first.look}`);
    await page.getByRole('button', { name: 'Start them', exact: true }).click();
    await page.getByText('The VMs run once more until').waitFor();
    await page.getByText('Running').locator('visible=true').first().waitFor();
    await eachSees('/vms', 'The VMs run once more until', 'vms-rescued');
  },
);
