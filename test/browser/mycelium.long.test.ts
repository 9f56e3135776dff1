import type { Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

const button = (page: Page, name: string) => page.getByRole('button', { name });

/** Opens the form, and the play nodes in a tab of their own; answers the tab and a node's address. */
async function openNodes(page: Page, node: string): Promise<{ nodes: Page; address: string }> {
  await page.goto('/');
  await button(page, 'Sign in with a Mycelium node').click();
  const [nodes] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByRole('link', { name: /See the play nodes/ }).click(),
  ]);
  const address = (await nodes.getByTestId(`address-${node}`).textContent()) ?? '';
  return { nodes, address };
}

async function codeAt(nodes: Page, node: string): Promise<string> {
  await nodes.goto(new URL(`/inbox/${node}`, nodes.url()).href);
  await nodes.getByTestId('message').first().waitFor();
  return nodes.getByTestId('reply-text').first().inputValue();
}

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  const look = `${scheme}-${width}`;

  test('a code goes to a node and is typed in', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open(scheme, width);
    const { nodes, address } = await openNodes(page, 'ada');
    await expectSound(page, `mycelium-address-${look}`);
    await expectSound(nodes, `mycelium-nodes-${look}`);
    await button(page, 'Send a code to my node').click();
    await page.getByText('Enter the address of your node.').waitFor();
    await page.getByLabel('Address of your node').fill('2001:db8::1');
    await button(page, 'Send a code to my node').click();
    await page.getByText('not in the overlay network').waitFor();
    await expectSound(page, `mycelium-refused-${look}`);
    await page.getByLabel('Address of your node').fill(`[${address.toUpperCase()}]`);
    await page.keyboard.press('Enter');
    await page.getByText('We sent a code to').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('code');
    await expectSound(page, `mycelium-code-${look}`);
    await page.keyboard.type('0000-0000-0000');
    await page.keyboard.press('Enter');
    await page.getByText('You can try 4 more times').waitFor();
    const code = await codeAt(nodes, 'ada');
    await expectSound(nodes, `mycelium-inbox-${look}`);
    await page.getByLabel('Code').fill(code.toLowerCase());
    await page.keyboard.press('Enter');
    await page.getByTestId('balance').waitFor();
  });
});

describe('two browsers, and a node', () => {
  test('the node replies with the number, and the page goes on by itself', { timeout: STORY_MS }, async ({ open }) => {
    const page = await open();
    const { nodes, address } = await openNodes(page, 'ben');
    await page.getByLabel('Address of your node').fill(address);
    await button(page, 'Send a code to my node').click();
    const number = await page.getByTestId('number').textContent();
    const code = await codeAt(nodes, 'ben');
    await nodes.getByTestId('reply-text').first().fill(`${code} ${number}`);
    await nodes.getByTestId('reply').first().click();
    await nodes.getByTestId('replied').waitFor();
    await page.getByTestId('balance').waitFor();
  });

  test('each has a code of its own, and the other’s opens nothing', { timeout: STORY_MS }, async ({ open }) => {
    const [one, other] = [await open(), await open()];
    const { nodes, address } = await openNodes(one, 'ada');
    await one.getByLabel('Address of your node').fill(address);
    await button(one, 'Send a code to my node').click();
    await one.getByText('We sent a code to').waitFor();
    const first = await codeAt(nodes, 'ada');
    await openNodes(other, 'ada');
    await other.getByLabel('Address of your node').fill(address);
    await button(other, 'Send a code to my node').click();
    await other.getByText('We sent a code to').waitFor();
    await other.getByLabel('Code').fill(first);
    await button(other, 'Continue').click();
    await other.getByText('You can try 4 more times').waitFor();
    await one.getByLabel('Code').fill(first);
    await button(one, 'Continue').click();
    await one.getByTestId('balance').waitFor();
    await other.getByLabel('Code').fill(await codeAt(nodes, 'ada'));
    await button(other, 'Continue').click();
    await other.getByTestId('balance').waitFor();
    await signIn(await open(), 'Somebody else');
  });
});
