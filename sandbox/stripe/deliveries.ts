import { Stripe } from 'stripe';
import { Deliveries, type DeliveriesOptions } from '../deliveries.ts';
import { unixSeconds } from './ports.ts';
import type { SandboxEvent } from './records.ts';
import type { Switches } from './switches.ts';

/** A copy of one event on its way, with what the forger asked to be different. */
export interface Signing {
  readonly secret?: string | undefined;
  /** Added to the signed time. */
  readonly offsetSeconds?: number | undefined;
}

export type StripeDeliveries = Deliveries<SandboxEvent, Signing>;

type Options = Omit<DeliveriesOptions<SandboxEvent, Signing>, 'toRequest' | 'switches'> & {
  readonly switches: Switches;
};

/** Events leave signed by Stripe's own code. */
export const stripeDeliveries = (options: Options): StripeDeliveries =>
  new Deliveries<SandboxEvent, Signing>({
    ...options,
    toRequest: (event, signing, now) => ({
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks; sandbox)',
        'stripe-signature': Stripe.webhooks.generateTestHeaderString({
          payload: event.payload,
          secret: signing?.secret ?? options.switches.webhookSecret,
          timestamp: unixSeconds(now) + (signing?.offsetSeconds ?? 0),
        }),
      },
      body: event.payload,
    }),
  });
