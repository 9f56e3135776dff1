import type { Weather } from './faults.ts';
import type { Mark } from './marks.ts';
import type { Chance } from './random.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { World } from './world.ts';

export interface CustomersOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly world: World;
  readonly life: Life;
  readonly mark: (mark: Mark) => void;
}

const HOUR_MS = 3_600_000;

/** What happens on the provider's page, and what others send that looks like it. */
export class Customers {
  readonly #options: CustomersOptions;

  constructor(options: CustomersOptions) {
    this.#options = options;
  }

  /** Some never come back, some come back late, some pay something else. */
  async pay(chance: Chance, paymentSid: string): Promise<void> {
    const { scheduler, weather, world, life, mark } = this.#options;
    await scheduler.park(life, chance.between(500, 90_000), 'checkout');
    const { sandbox } = world;
    const session = [...sandbox.state.sessions.values()].find((one) => one.clientReferenceId === paymentSid);
    if (!session) return;
    if (weather.strikes('paid_late')) await scheduler.park(life, chance.between(1, 20) * HOUR_MS, 'paid late');
    if (weather.strikes('paid_other_amount')) sandbox.turn({ wrong: { amountCents: chance.between(1, 50_000) } });
    if (weather.strikes('paid_other_currency')) sandbox.turn({ wrong: { currency: 'tzs' } });
    const outcome = chance.weighted([
      ['paid', 8],
      ['declined', 1],
      ['later-succeeds', 2],
      ['later-fails', 1],
      ['abandon', 1],
    ] as const);
    mark(`a customer leaves the checkout: ${outcome}`);
    if (outcome === 'abandon') sandbox.expire(session.id);
    else sandbox.complete(session.id, outcome);
    sandbox.turn({ wrong: {} });
    this.#strangers(session.id);
  }

  /** Deliveries that say what is not so: authentic ones about others, and ones with our event's shape and a wrong signature. */
  #strangers(sessionId: string): void {
    const { weather, world } = this.#options;
    const { sandbox } = world;
    const type = 'checkout.session.completed';
    if (weather.strikes('webhook_forged'))
      sandbox.forge({ type, about: sessionId, secret: 'whsec_of_somebody_else_entirely' });
    if (weather.strikes('webhook_stale')) sandbox.forge({ type, about: sessionId, offsetSeconds: -900 });
    if (weather.strikes('webhook_future')) sandbox.forge({ type, about: sessionId, offsetSeconds: 900 });
    if (weather.strikes('webhook_wrong_mode')) sandbox.forge({ type, about: sessionId, livemode: true });
    if (weather.strikes('webhook_wrong_account')) sandbox.forge({ type, about: sessionId, account: 'acct_other' });
    if (weather.strikes('webhook_wrong_order')) {
      const object = {
        id: 'cs_test_of_nobody',
        object: 'checkout.session',
        payment_status: 'paid',
        status: 'complete',
      };
      sandbox.forge({ type, object: { ...object, client_reference_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' } });
    }
  }
}
