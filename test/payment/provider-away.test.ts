import { afterEach, describe, expect, it } from 'vitest';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

const stories: PaymentStory[] = [];
async function story(): Promise<PaymentStory> {
  const made = await paymentStory();
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

const DONE = 'checkout.session.completed';
const last = async (told: PaymentStory) => (await told.inbox()).at(-1);

describe('a provider that does not answer', () => {
  it('B13 delays its events and kills none within an outage of ten minutes', async () => {
    const told = await story();
    const payment = await told.paid();
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    told.bank.fault = 'broken';
    for (let minute = 0; minute < 10; minute += 1) {
      await told.drain();
      await told.ports.clock.advance(60_000);
    }
    expect(await last(told)).toMatchObject({ state: 'pending', reason: 'provider_broken' });
    told.bank.fault = 'none';
    await told.ports.clock.advance(3_600_000);
    await told.drain();
    expect(await told.cents()).toBe(2500n);
  });

  it('B13 I01 kills no event before the third day, and is asked four times an hour', async () => {
    const told = await story();
    const payments = [await told.paid(), await told.paid()];
    const [first, second] = payments.map(({ sid }) => told.bank.webhook(DONE, told.bank.orderOf(sid)));
    if (!first || !second) throw new Error('two payments have two events');
    await told.deliver(first);
    told.bank.fault = 'broken';
    const quarters = 2 * 24 * 4;
    for (let quarter = 0; quarter < quarters; quarter += 1) {
      await told.drain();
      await told.ports.clock.advance(15 * 60_000);
    }
    const [waiting] = await told.inbox();
    expect(waiting).toMatchObject({ state: 'pending', reason: 'provider_broken' });
    expect(waiting?.attempts).toBeGreaterThan(quarters / 2);
    told.bank.fault = 'none';
    await told.drain();
    expect(await told.cents()).toBe(2500n);
    await told.deliver(second);
    told.bank.fault = 'broken';
    await told.ports.clock.advance(3 * 86_400_000 + 1);
    for (let tries = 0; tries < 10; tries += 1) {
      await told.drain();
      await told.ports.clock.advance(15 * 60_000);
    }
    expect(await last(told)).toMatchObject({ state: 'dead', reason: 'provider_broken' });
  });
});
