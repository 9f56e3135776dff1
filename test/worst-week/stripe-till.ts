import { Stripe } from 'stripe';
import { balanceOf } from '../../sandbox/stripe/balance.ts';
import { moveDispute, moveDisputeSchema, openDispute, openDisputeSchema } from '../../sandbox/stripe/disputes.ts';
import { sandboxFetch } from '../../sandbox/stripe/in-process.ts';
import { StripeSandbox } from '../../sandbox/stripe/sandbox.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { fromCents } from '../../src/domain/money.ts';
import { stripeProvider } from '../../src/providers/stripe/index.ts';
import type { Dice } from './dice.ts';
import type { Letter, Till } from './till.ts';

const SECRET_KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';
const WEBHOOK_SECRET = 'whsec_0dKqGm7RZt3uYvP5nXb2LhWc8JfA4sEe';
const ORIGIN = 'http://stripe.invalid';

export function stripeTill(ports: Ports, post: (letter: Letter) => void): Till {
  const sandbox = new StripeSandbox({
    clock: ports.clock,
    random: ports.random,
    secretKey: SECRET_KEY,
    webhookUrl: 'http://webhooks.invalid/webhooks/stripe',
    webhookSecret: WEBHOOK_SECRET,
    fetch: (_, init) => {
      post({ provider: 'stripe', body: typeof init?.body === 'string' ? init.body : '', headers: {} });
      return Promise.resolve(new Response(null, { status: 200 }));
    },
  });
  const { state } = sandbox;
  sandbox.turn({ settleAfterMs: 9 * 3_600_000 });
  return {
    name: 'stripe',
    origin: ORIGIN,
    api: sandboxFetch(sandbox),
    open: (own) =>
      stripeProvider({
        secretKey: SECRET_KEY,
        webhookSecrets: { current: WEBHOOK_SECRET },
        apiBase: ORIGIN,
        ports: own,
      }),
    visit: (orderRef, dice) => {
      const share = dice.share();
      const way = share < 0.8 ? 'paid' : share < 0.86 ? 'later-succeeds' : share < 0.9 ? 'later-fails' : null;
      if (way !== null) sandbox.complete(orderRef, way);
      else if (dice.is(0.5)) sandbox.complete(orderRef, 'declined');
    },
    trouble: (orderRef, dice) => {
      const charge = chargeOf(orderRef);
      if (charge === undefined) return;
      if (dice.is(0.5)) refundSome(orderRef, dice);
      else
        openDispute(
          state,
          openDisputeSchema.parse({
            about: orderRef,
            ...(dice.is(0.3) ? { amountCents: dice.between(100, charge.amount) } : {}),
          }),
        );
    },
    end: (dice) => {
      for (const dispute of state.disputes.values()) {
        if (!/^(won|lost|warning_closed)$/.test(dispute.status))
          moveDispute(state, dispute, moveDisputeSchema.parse({ status: dice.is(0.5) ? 'won' : 'lost' }));
      }
    },
    keyOf: (orderRef) => orderRef,
    stamp: (letter, now) => ({
      ...letter,
      headers: {
        'stripe-signature': Stripe.webhooks.generateTestHeaderString({
          payload: letter.body,
          secret: WEBHOOK_SECRET,
          timestamp: Math.floor(now.getTime() / 1000),
        }),
      },
    }),
    books: () => ({
      balanceMicros: fromCents(
        balanceOf(state, sandbox.switches).reduce((sum, { amount, fee }) => sum + amount - fee, 0),
      ),
      leftMicros: new Map([...state.sessions.keys()].map((orderRef) => [orderRef, fromCents(leftOf(orderRef))])),
      paidOutMicros: 0n,
    }),
    close: () => sandbox.close(),
  };

  function chargeOf(orderRef: string) {
    const intent = state.intents.get(state.sessions.get(orderRef)?.intentId ?? '');
    return intent?.chargeId == null ? undefined : state.charges.get(intent.chargeId);
  }

  function refundSome(orderRef: string, dice: Dice): void {
    const charge = chargeOf(orderRef);
    const left = (charge?.amount ?? 0) - (charge?.amountRefunded ?? 0);
    if (left < 2) return;
    const whole = dice.is(0.4);
    sandbox.refund({ about: orderRef, ...(whole ? {} : { amountCents: dice.between(1, left - 1) }) });
  }

  function leftOf(orderRef: string): number {
    const charge = chargeOf(orderRef);
    if (charge === undefined) return 0;
    const gone = [...state.refunds.values()]
      .filter((it) => it.chargeId === charge.id && it.status === 'succeeded')
      .reduce((sum, it) => sum + it.amount, 0);
    const lost = [...state.disputes.values()]
      .filter((it) => it.chargeId === charge.id && it.status === 'lost')
      .reduce((sum, it) => sum + it.amount, 0);
    return charge.amount - gone - lost;
  }
}
