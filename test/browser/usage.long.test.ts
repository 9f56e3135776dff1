import { describe, expect } from 'vitest';
import type { Page as ListPage, Billing, NodeWithKey } from '../../web/surface.ts';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn, signInAsOperator, goTo } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

const HOUR_MS = 3_600_000;
let keys = 0;

interface Customer {
  readonly sid: string;
  readonly userSid: string;
}

/** A wallet of a user who can sign in by this name. */
async function customer(name: string, cents: number): Promise<Customer> {
  await fetch(`${stage.server.url}/login/sandbox`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  const { items } = await stage.server.asOperator<ListPage<Billing>>(`/v1/billings?search=${encodeURIComponent(name)}`);
  const [wallet] = items;
  if (!wallet) throw new Error(`no wallet of ${name}`);
  await stage.server.asOperator('/admin/balance-adjust', { sid: wallet.sid, balance_cents: cents });
  return { sid: wallet.sid, userSid: wallet.user_sid };
}

const newNode = (name: string): Promise<NodeWithKey> => stage.server.asOperator<NodeWithKey>('/v1/nodes', { name });

/** An LLM call that cost the provider 0.00015, so 0.000165; what is different is said in `more`. */
const used = ({ userSid }: Customer, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  idempotency_key: `call-${(keys += 1)}`,
  user_sid: userSid,
  applies_to: 'llm',
  resource_kind: 'some/model',
  cost: '0.00015',
  provider: 'groq',
  occurred_at: new Date().toISOString(),
  ...more,
});

/** An hour of Hero OS: 0.11. */
const hours = (who: Customer, quantity: string, more: Record<string, unknown> = {}): Record<string, unknown> => {
  const { cost: _cost, provider: _provider, ...rest } = used(who, { ...more, applies_to: 'hero_os_hourly' });
  return { ...rest, resource_kind: 'small', quantity };
};

/** As a node does it: with its key and nothing else. What became of each record. */
async function report(key: string, records: readonly object[]): Promise<string[]> {
  const response = await fetch(`${stage.server.url}/v1/usage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ records }),
  });
  const { items } = (await response.json()) as { items?: { outcome: string }[] };
  return items?.map(({ outcome }) => outcome) ?? [`status ${response.status}`];
}

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test("the user's usage and why a line cost what it did", { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    const who = await customer(`Uma ${look}`, 2_000);
    await signIn(page, `Uma ${look}`);
    await goTo(page, 'Usage');
    await page.getByText('Nothing was used in the last 30 days').waitFor();
    await expectSound(page, `usage-empty-${look}`);
    const node = await newNode(`a-rather-long-name-of-a-node-in-frankfurt-${look}.rack-7`);
    const past = (days: number) => new Date(Date.now() - days * 24 * HOUR_MS).toISOString();
    const days = [9, 8, 5, 2, 1].map((ago) => hours(who, '3', { occurred_at: past(ago) }));
    expect(new Set(await report(node.key, [...days, used(who), used(who)]))).toEqual(new Set(['applied']));
    await stage.server.asOperator('/v1/holds', {
      wallet_sid: who.sid,
      amount: '3.00',
      description: 'VM web-1, one hour',
    });
    await page.reload();
    await page.getByText('VM web-1, one hour').waitFor();
    await page.getByText('Next rung in').first().waitFor();
    await expectSound(page, `usage-${look}`);
    for (const tab of ['Category', 'Node', 'Resource']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('columnheader', { name: tab }).waitFor();
      await expectSound(page, `usage-${tab.toLowerCase()}-${look}`);
    }
    await goTo(page, 'Wallet');
    await page
      .getByRole('button', { name: /^Explain line/ })
      .first()
      .click();
    await page.getByText('The record as it was kept').click();
    await expectSound(page, `usage-explained-${look}`);
  });

  test("the operator's pages of nodes and their charges", { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    const who = await customer(`Otto ${look}`, 2_000);
    const node = await newNode(`node-${look}`);
    await report(node.key, [used(who), hours(who, '2')]);
    await signInAsOperator(page);
    await goTo(page, 'Usage', 'Nodes');
    await page.getByRole('link', { name: node.name }).waitFor();
    await expectSound(page, `nodes-${look}`);
    await page.getByRole('button', { name: 'Register a node' }).click();
    await page.getByLabel('Name').fill('Not a name');
    await page.getByLabel('It may report for').selectOption('some');
    await page.getByLabel('Numbers of the users').fill('nobody');
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await page.getByText('must be 1 to 63').waitFor();
    await page.getByText('Line 1 must be a sid').waitFor();
    expect(await page.getByLabel('Name').evaluate((field) => field === document.activeElement)).toBe(true);
    await expectSound(page, `node-register-refused-${look}`);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: node.name }).click();
    await page.getByText('$0.000165').waitFor();
    await expectSound(page, `node-${look}`);
    await page.getByRole('button', { name: 'Explain line' }).last().click();
    await page.getByRole('button', { name: 'Take back…' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Say why.').waitFor();
    await expectSound(page, `take-back-refused-${look}`);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('button', { name: 'Make a new key' }).click();
    await page.getByTestId('node-key').waitFor();
    await expectSound(page, `node-key-${look}`);
    await page.getByRole('button', { name: 'I have stored the key' }).click();
    await page.getByRole('button', { name: 'Take everything back…' }).click();
    await page.getByLabel('Reason').fill('Measured twice');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByTestId('reversal').waitFor();
    await expectSound(page, `node-reverse-${look}`);
    await page.goto(`/operator/wallets/${who.sid}`);
    await page.getByRole('tab', { name: 'Usage' }).click();
    await page.getByTestId('period-total').waitFor();
    await expectSound(page, `operator-wallet-usage-${look}`);
  });

  test("the operator's pages of prices, ladders and unbilled usage", { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    const who = await customer(`Ulla ${look}`, 0);
    const node = await newNode(`unbilled-${look}`);
    expect(await report(node.key, [hours(who, '600')])).toEqual(['unbilled']);
    await signInAsOperator(page);
    await goTo(page, 'Usage', 'Prices');
    await page.getByRole('heading', { name: 'hero_os_hourly' }).waitFor();
    await expectSound(page, `prices-${look}`);
    await page.getByRole('button', { name: 'New price for llm' }).click();
    await page.getByLabel('It is charged').selectOption('per_unit');
    await page.getByRole('button', { name: 'Set the price' }).click();
    await page.getByText('Enter what is counted').waitFor();
    await expectSound(page, `price-refused-${look}`);
    await page.keyboard.press('Escape');
    await goTo(page, 'Usage', 'Ladders');
    await page.getByRole('button', { name: 'New version for llm' }).click();
    await page.getByRole('button', { name: 'Add a rung' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Write a number such as 0.5').waitFor();
    await expectSound(page, `ladder-refused-${look}`);
    await page.getByRole('button', { name: 'Remove rung 3' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Now: version').waitFor();
    await expectSound(page, `ladder-preview-${look}`);
    await page.keyboard.press('Escape');
    await expectSound(page, `ladders-${look}`);
    await goTo(page, 'Usage', 'Unbilled');
    await page.getByRole('link', { name: who.sid }).first().waitFor();
    await expectSound(page, `unbilled-${look}`);
    await page.getByLabel('Only of this wallet').fill('nobody');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('A wallet number has 26').waitFor();
    await expectSound(page, `unbilled-refused-${look}`);
  });
});

test(
  'a user sees what was used, and a line is explained down to the fraction, with the focus given back',
  { timeout: STORY_MS },
  async ({ open }) => {
    const page = await open();
    const who = await customer('Ursula', 1_000);
    await signIn(page, 'Ursula');
    const node = await newNode('ursula-1');
    expect(await report(node.key, [used(who), hours(who, '2')])).toEqual(['applied', 'applied']);
    await goTo(page, 'Usage');
    await expect.poll(() => page.getByTestId('period-total').textContent()).toBe('$0.220165');
    expect(await page.getByRole('img', { name: /^Charges by day\. .*The most was \$0\.220165 on / }).count()).toBe(1);
    expect(await page.getByTestId('runway').textContent()).toMatch(/^\d+ d \d+ h$/);
    await page.getByRole('tab', { name: 'Node' }).click();
    await expect.poll(() => page.getByRole('row', { name: 'ursula-1' }).count()).toBe(2);
    await page.goto('/wallet');
    const row = page.getByRole('row').filter({ hasText: 'some/model · 1 call' });
    const opener = row.getByRole('button', { name: /^Explain line/ });
    await opener.press('Enter');
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByTestId('explained-charge').textContent()).toBe('$0.000165');
    await dialog.getByText('Proved', { exact: true }).waitFor();
    await dialog.getByText('The provider’s cost of $0.00015 and a margin of 10 %').waitFor();
    expect(await dialog.getByRole('button', { name: 'Take back…' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
  },
);

test(
  'an operator registers a node, which reports with its key, and takes back one line and then everything',
  { timeout: STORY_MS },
  async ({ open }) => {
    const user = await open();
    const who = await customer('Rosa', 1_000);
    const page = await open();
    await signInAsOperator(page);
    await goTo(page, 'Usage', 'Nodes');
    await page.getByRole('button', { name: 'Register a node' }).click();
    await page.getByLabel('Name').fill('rosa-1');
    await page.getByLabel('The most that one record may cost').fill('1');
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    const key = (await page.getByTestId('node-key').textContent()) ?? '';
    expect(key).toMatch(/^nk_/);
    // What cannot be shown again is not lost by a key press.
    await page.keyboard.press('Escape');
    expect(await page.getByTestId('node-key').count()).toBe(1);
    await page.getByRole('button', { name: 'I have stored the key' }).click();
    expect(await report(key, [used(who), hours(who, '1'), hours(who, '3'), hours(who, '20')])).toEqual([
      'applied',
      'applied',
      'applied',
      'refused',
    ]);
    await page.getByRole('link', { name: 'rosa-1' }).click();
    await page.getByText('$0.33').waitFor();
    expect(await page.getByText(key).count()).toBe(0);
    await page
      .getByRole('row', { name: /small · 1 hour/ })
      .getByRole('button')
      .click();
    await page.getByRole('button', { name: 'Take back…' }).click();
    await page.getByLabel('Why is it taken back?').fill('Reported twice');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Balance after it').waitFor();
    expect(await balanceIn(who)).toBe('9.559835');
    await page.getByRole('button', { name: 'Give back $0.11' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => balanceIn(who)).toBe('9.669835');
    await page.getByLabel('Only what was not taken back').check();
    await page.getByRole('row', { name: /small · 1 hour/ }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Take everything back…' }).click();
    await page.getByLabel('Reason').fill('The key was stolen');
    await page.getByRole('button', { name: 'Preview' }).click();
    await expect.poll(() => page.getByTestId('reversal').textContent()).toBe('Charges2Wallets1Goes back$0.330165');
    await page.getByLabel('Type rosa-1 to confirm').fill('rosa');
    await page.getByRole('button', { name: 'Take back $0.330165' }).click();
    await page.getByText('Type rosa-1 to confirm.').waitFor();
    expect(await balanceIn(who)).toBe('9.669835');
    await page.getByLabel('Type rosa-1 to confirm').fill('rosa-1');
    await page.getByRole('button', { name: 'Take back $0.330165' }).click();
    await page.getByText('2 charges were taken back').first().waitFor();
    expect(await balanceIn(who)).toBe('10.00');
    await page.getByText('It charged nothing in this time').waitFor();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke rosa-1' }).click();
    await page.getByText('Revoked', { exact: true }).first().waitFor();
    expect(await report(key, [used(who)])).toEqual(['status 401']);
    await signIn(user, 'Rosa');
    await expect.poll(() => user.getByText('Usage taken back').count()).toBe(3);
    expect(await user.getByText('The key was stolen').count()).toBe(2);
    await user
      .getByRole('button', { name: /^Explain line/ })
      .first()
      .click();
    await user.getByText(/^Taken back by line \d+ of the statement\.$/).waitFor();
  },
);

test('a filter by time shows what a node charged then', { timeout: STORY_MS }, async ({ open }) => {
  const page = await open();
  const who = await customer('Tina', 1_000);
  const node = await newNode('tina-1');
  await report(node.key, [used(who)]);
  await signInAsOperator(page);
  await page.goto(`/operator/nodes/${node.sid}`);
  await page.getByText('$0.000165').waitFor();
  const local = (ms: number) => new Date(Date.now() + ms).toISOString().slice(0, 16);
  await page.getByLabel('Recorded from').fill(local(HOUR_MS));
  await page.getByText('It charged nothing in this time').waitFor();
  await page.getByLabel('Recorded from').fill(local(-HOUR_MS));
  await page.getByText('$0.000165').waitFor();
});

test(
  'an operator sets a price and a ladder, sees before what they come to, and usage costs that',
  { timeout: STORY_MS },
  async ({ open }) => {
    const page = await open();
    const who = await customer('Petra', 1_000);
    await signInAsOperator(page);
    await goTo(page, 'Usage', 'Prices');
    await page.getByRole('button', { name: 'New price', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Category').fill('vm');
    await page.getByLabel('US dollars an hour').fill('0.123456789012');
    await page.getByLabel('Margin on top, in per cent').fill('10');
    await page.getByRole('button', { name: 'Set the price' }).click();
    await page.getByText('comes to more than 12 decimals').waitFor();
    await page.getByLabel('US dollars an hour').fill('0.1');
    expect(await page.getByTestId('price-example').textContent()).toBe(
      '1 hour costs $0.11, a month of 30 days $79.20.',
    );
    await page.getByRole('button', { name: 'Set the price' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const vm = page.getByRole('region', { name: 'vm', exact: true });
    await vm.getByRole('row', { name: /everything Active .* \$0\.10 an hour \+ 10 %/ }).waitFor();
    await goTo(page, 'Usage', 'Ladders');
    await page.getByRole('button', { name: 'New ladder' }).click();
    await page.getByRole('dialog').getByLabel('Category').fill('vm');
    await page.getByLabel('After days').fill('3');
    await page.getByLabel('Multiplier').fill('1.5');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Less than 1.').waitFor();
    await page.getByLabel('Multiplier').fill('0.5');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('from day 3 on').waitFor();
    await page.getByRole('button', { name: 'Set this version' }).click();
    await vm.getByText('Version 1').waitFor();
    const node = await newNode('petra-1');
    const { idempotency_key, user_sid, occurred_at } = hours(who, '2');
    const hour = { idempotency_key, user_sid, occurred_at, applies_to: 'vm', resource_kind: 'c4', quantity: '2' };
    // A price counts for what happens after it.
    expect(await report(node.key, [{ ...hour, occurred_at: new Date().toISOString() }])).toEqual(['applied']);
    expect(await balanceIn(who)).toBe('9.78');
  },
);

test('a user finds nothing at the pages of operators', { timeout: STORY_MS }, async ({ open }) => {
  const page = await open();
  await signIn(page, 'Nosy Neighbour');
  for (const path of ['nodes', 'prices', 'ladders', 'unbilled']) {
    await page.goto(`/operator/${path}`);
    await page.getByText('There is no such page').waitFor();
  }
});

const balanceIn = async ({ sid }: Customer): Promise<string> =>
  (await stage.server.asOperator<Billing>(`/v1/billings/${sid}`)).credit_balance;
