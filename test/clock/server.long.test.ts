import { describe, expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import { removeDataDir, startOwnServer } from '../../scripts/own-server.ts';

const DAY_MS = 86_400_000;

describe('a server whose clock was moved', () => {
  it(
    'has its simulators follow, so that money comes in, and is there again after a restart',
    { timeout: 90_000 },
    async () => {
      const first = await startOwnServer();
      const { dataDir } = first;
      try {
        const operator = createClient({ url: first.url, adminSecret: first.adminSecret });
        await operator.call('clock.advance', { by: '40d' });
        // On a busy machine the answer comes before the clock is there.
        await expect.poll(async () => (await operator.call('clock.get', {})).goal, { timeout: 30_000 }).toBeNull();
        const there = await operator.call('clock.get', {});
        expect(Date.parse(there.now) - Date.now()).toBeGreaterThan(40 * DAY_MS - 60_000);
        const session = await signIn(first.url, 'Asha');
        const asha = createClient({ url: first.url, token: session.token });
        // The webhook is signed by the simulator's clock, and is good for five minutes by ours.
        const payment = await asha.call(
          'payment.create',
          { provider: 'stripe', amount: '25.00' },
          { idempotencyKey: 'one' },
        );
        await fetch(String(payment.checkout_url), { method: 'POST', body: new URLSearchParams({ choice: 'pay' }) });
        await expect
          .poll(async () => (await asha.call('payment.get', { sid: payment.sid })).state, { timeout: 15_000 })
          .toBe('credited');
        const events = await operator.call('webhook-event.list', {});
        expect(events.items.map(({ state }) => state)).not.toContain('failed');
        expect(events.items.length).toBeGreaterThan(0);
        expect(await first.stop()).toBe(0);
        const keys = {
          HERO_ONBOARDING_SESSION_KEY: 'k'.repeat(44),
          STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef',
          STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef',
        };
        const elsewhere = startOwnServer({ dataDir, env: { HERO_ONBOARDING_MODE: 'test', ...keys } });
        await expect(elsewhere).rejects.toThrow('A sandbox has moved its clock on this database');
        const second = await startOwnServer({ dataDir });
        try {
          const again = createClient({ url: second.url, adminSecret: second.adminSecret });
          const clock = await again.call('clock.get', {});
          expect(clock.ahead_seconds).toBe(there.ahead_seconds);
          expect((await again.call('billing.get', { sid: session.wallet_sid })).credit_balance).toBe('25.00');
        } finally {
          await second.stop();
        }
      } finally {
        await first.stop();
        await removeDataDir({ dataDir });
      }
    },
  );
});

async function signIn(url: string, name: string): Promise<{ token: string; wallet_sid: string }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/login/sandbox`, { method: 'POST', headers, body: JSON.stringify({ name }) });
  return (await answer.json()) as { token: string; wallet_sid: string };
}
