import { afterAll, beforeAll, expect, it } from 'vitest';
import { cardSetup } from '../../src/operations/card/setup.ts';
import { sweepErasures } from '../../src/operations/erasure/sweep.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { userErase } from '../../src/operations/user/erase.ts';
import { readErasure } from '../../src/store/erasure.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, userActor } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { stripeStory, type StripeStory } from '../support/stripe-story.ts';

let story: StripeStory;
beforeAll(async () => {
  story = await stripeStory();
});
afterAll(() => story.close());

const eraseAt = (house: House, userSid: string) =>
  execute(house, userErase, {
    actor: OPERATOR,
    input: { sid: userSid },
    idempotencyKey: null,
    requestId: house.ports.ids.requestId(),
  });

async function userWithCard(): Promise<WalletRow> {
  const [wallet] = await openWallets(story.told.database.owner, story.told.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const reply = await story.run(cardSetup, {}, { actor: userActor(wallet) });
  const { setup_url: url } = JSON.parse(reply.body) as { setup_url: string };
  expect(story.stripe.complete(url.split('/').at(-1) ?? '', 'paid')).toBe('done');
  return wallet;
}

const cardsKept = (): number =>
  (story.stripe.journal().payment_methods as { customer: string | null }[]).filter(({ customer }) => customer !== null)
    .length;

const dayLater = (): Promise<void> => story.told.ports.clock.advance(26 * 3_600_000);

async function dies(work: (house: House) => Promise<unknown>, at: number): Promise<boolean> {
  const dying = story.anotherOf();
  dying.ports.crash.dieAfter(at);
  try {
    await work(dying.house);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  await gone(story.told);
  return dying.ports.crash.reached.length > at;
}

/** For every place of it; the sample takes seconds. */
const TIMEOUT_MS = 300_000;

it(
  'G01 K12 a process that dies anywhere while it deletes an account leaves one that is whole or gone',
  { timeout: TIMEOUT_MS },
  async () => {
    let survived = 0;
    for (let at = 0; ; at += CRASH_EVERY) {
      const { userSid } = await userWithCard();
      const hasDied = await dies((house) => eraseAt(house, userSid), at);
      const row = await readErasure(story.house.db, userSid);
      if (row?.erasedAt === null) expect((await eraseAt(story.house, userSid)).status).toBe(200);
      // The tick goes on where the dead one stopped.
      await story.told.ports.clock.advance(15 * 60_000);
      await sweepErasures(story.house);
      expect(cardsKept()).toBe(0);
      if (!hasDied) break;
      survived += 1;
    }
    await dayLater();
    while ((await sweepErasures(story.house)) > 0);
    const [{ count } = { count: 0n }] = await story.told.database.owner.query<{ count: bigint }>({
      name: 'test.open',
      text: `select count(*) as count from erasure where next_sweep_at is not null`,
    });
    expect(count).toBe(0n);
    console.info(`G01 erasure: ${survived} crash points, each survived`);
    expect(survived * CRASH_EVERY).toBeGreaterThan(30);
  },
);

it('K12 a provider that is away is asked again, and the account is gone meanwhile', async () => {
  const { userSid } = await userWithCard();
  story.stripe.turn({ faults: [{ kind: 'rate-limit', retryAfterSeconds: 60, path: '/v1/customers' }] });
  const reply = await eraseAt(story.house, userSid);
  expect(JSON.parse(reply.body)).toMatchObject({ is_complete: false });
  expect((await readErasure(story.house.db, userSid))?.erasedAt).not.toBeNull();
  expect(cardsKept()).toBe(1);
  story.stripe.turn({ faults: [] });
  expect(await sweepErasures(story.house)).toBe(0);
  await story.told.ports.clock.advance(60_000);
  expect(await sweepErasures(story.house)).toBe(1);
  expect(cardsKept()).toBe(0);
});
