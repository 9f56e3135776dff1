import { describe, expect } from 'vitest';
import type { Page as ListPage, Billing } from '../../web/surface.ts';
import { LOOKS, openStage } from './stage.ts';
import { expectSound, signIn } from './visitor.ts';

const stage = openStage();
const { test } = stage;
const STORY_MS = 120_000;

describe.each(LOOKS)('in %s, %i px wide, axe finds nothing and nothing sticks out', (scheme, width) => {
  test(
    'the wallet shows what can be spent, what of it was given, and until when',
    { timeout: STORY_MS },
    async ({ open }) => {
      const page = await open(scheme, width);
      const name = `Gina ${scheme}-${width}`;
      await signIn(page, name);
      const { items } = await stage.server.asOperator<ListPage<Billing>>(
        `/v1/billings?search=${encodeURIComponent(name)}`,
      );
      const sid = items[0]?.sid ?? '';
      await stage.server.asOperator('/admin/balance-adjust', { sid, balance_cents: 1_250 });
      const ends = new Date(Date.now() + 20 * 86_400_000).toISOString();
      await stage.server.asOperator('/v1/grants', {
        wallet_sid: sid,
        amount: '5',
        reason: 'Welcome to the service',
        expires_at: ends,
      });
      await stage.server.asOperator('/v1/grants', { wallet_sid: sid, amount: '2', reason: 'Sorry for the outage' });
      await stage.server.asOperator(`/v1/billings/${sid}/debits`, { amount: '1.5', description: 'a call' });
      await page.reload();
      await page.getByRole('heading', { name: 'Given credit' }).waitFor();
      await page.getByText('Sorry for the outage').waitFor();
      expect(await page.getByTestId('balance').textContent()).toContain('18.00');
      await page.getByText('From given credit').waitFor();
      await expectSound(page, `given-credit-${scheme}-${width}`);
    },
  );
});
