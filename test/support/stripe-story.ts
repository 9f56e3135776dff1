import { startStripeSandbox } from '../../sandbox/stripe/server.ts';
import type { StripeSandbox } from '../../sandbox/stripe/sandbox.ts';
import { execute, type Reply } from '../../src/operations/execute.ts';
import type { House, HouseSettings } from '../../src/operations/house.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { stripeProvider } from '../../src/providers/stripe/index.ts';
import { testHouse } from './house.ts';
import { paymentStory, type PaymentStory, type Process } from './payment-story.ts';

const SECRET_KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';
const WEBHOOK_SECRET = 'whsec_0dKqGm7RZt3uYvP5nXb2LhWc8JfA4sEe';

/** The whole way over Stripe's wire: the real SDK, the simulator, its signed webhooks into our inbox. */
export interface StripeStory {
  readonly told: PaymentStory;
  readonly house: House;
  /** One more process, with a pool of its own. */
  readonly another: () => House;
  /** The same with its ports, to let it die. */
  readonly anotherOf: () => Process;
  readonly stripe: StripeSandbox;
  /** What our webhook answered, in order. */
  readonly answers: number[];
  /** Waits until every delivery has arrived, then applies what came. */
  readonly hear: () => Promise<void>;
  readonly open: (amount?: string, key?: string) => Promise<Payment>;
  readonly sessionOf: (payment: Pick<Payment, 'sid'>) => Promise<string>;
  readonly run: (
    operation: Operation,
    input: unknown,
    how?: { readonly key?: string; readonly actor?: Actor },
  ) => Promise<Reply>;
  readonly close: () => Promise<void>;
}

export async function stripeStory(settings: Partial<HouseSettings> = {}): Promise<StripeStory> {
  const told = await paymentStory();
  const { ports } = told;
  const answers: number[] = [];
  let house: House | null = null;
  const { sandbox, url, close } = await startStripeSandbox({
    clock: ports.clock,
    random: ports.random,
    secretKey: SECRET_KEY,
    webhookUrl: 'http://webhooks.invalid/webhooks/stripe',
    webhookSecret: WEBHOOK_SECRET,
    // The wire between the simulator and our inbox, without a socket.
    fetch: async (_, init) => {
      if (!house) return new Response(null, { status: 503 });
      const headers = new Map([...new Headers(init?.headers)].map(([name, value]) => [name, [value]] as const));
      const body = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '');
      const { status } = await receiveWebhook(house, 'stripe', { body, headers });
      answers.push(status);
      return new Response(null, { status });
    },
  });
  const processOf = ({ db, ports: own }: Pick<House, 'db' | 'ports'>): House => {
    const provider = stripeProvider({
      secretKey: SECRET_KEY,
      webhookSecrets: { current: WEBHOOK_SECRET },
      apiBase: url,
      ports: own,
    });
    return testHouse({ db, ports: own, providers: [provider], settings });
  };
  const made = processOf(told.house);
  house = made;
  const run: StripeStory['run'] = (operation, input, how = {}) =>
    execute(made, operation, {
      actor: how.actor ?? told.actor,
      input,
      idempotencyKey: how.key ?? null,
      requestId: ports.ids.requestId(),
    });
  return {
    told,
    house: made,
    another: () => processOf(told.anotherProcess().house),
    anotherOf: () => {
      const dying = told.anotherProcess();
      return { house: processOf(dying.house), ports: dying.ports };
    },
    stripe: sandbox,
    answers,
    hear: async () => {
      sandbox.deliveries.flush();
      await sandbox.deliveries.settled();
      await told.drain(made);
    },
    open: async (amount = '25.00', key = `key-${ports.ids.sid()}`) => {
      const reply = await run(paymentCreate, { provider: 'stripe', amount }, { key });
      if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
      return JSON.parse(reply.body) as Payment;
    },
    sessionOf: async (payment) => (await told.payment(payment.sid)).orderRef ?? '',
    run,
    close: async () => {
      await close();
      await told.close();
    },
  };
}
