import { startStripeSandbox } from '../../sandbox/stripe/server.ts';
import { sandboxFetch } from '../../sandbox/stripe/in-process.ts';
import { StripeSandbox, type SandboxOptions } from '../../sandbox/stripe/sandbox.ts';
import { stripeProvider, type StripeProviderOptions } from '../../src/providers/stripe/index.ts';
import type { WebhookDelivery } from '../../src/providers/provider.ts';
import type { ProviderBench } from '../contract/payment-provider.ts';
import { whileTimePasses } from '../contract/time.ts';
import type { Trouble, TroubleBench } from '../contract/trouble.ts';
import type { Fault } from '../../sandbox/stripe/switches.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const SECRET_KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';
export const WEBHOOK_SECRET = 'whsec_0dKqGm7RZt3uYvP5nXb2LhWc8JfA4sEe';

export interface StripeBench extends ProviderBench {
  readonly ports: TestPorts;
  readonly sandbox: StripeSandbox;
  readonly url: string;
  /** Another provider in front of the same simulator. */
  readonly another: (changes?: Partial<StripeProviderOptions>) => ProviderBench['provider'];
  /** What the simulator delivered so far, as our HTTP layer would hand it on. */
  readonly delivered: readonly WebhookDelivery[];
}

/** Stripe's simulator on a loopback port, and the provider in front of it through the real SDK. */
export async function openStripeBench(secretKey = SECRET_KEY): Promise<StripeBench> {
  const ports = testPorts();
  const delivered: WebhookDelivery[] = [];
  const { sandbox, url, close } = await startStripeSandbox(sandboxOptions(ports, secretKey, delivered));
  return benchOf({ ports, sandbox, url, delivered, secretKey, close });
}

/** The same without a socket: the SDK's requests are handed to the simulator as calls. */
export async function openInProcessBench(): Promise<StripeBench> {
  const delivered: WebhookDelivery[] = [];
  const own = testPorts();
  const sandbox = new StripeSandbox(sandboxOptions(own, SECRET_KEY, delivered));
  const ports: TestPorts = { ...own, http: { fetch: sandboxFetch(sandbox) } };
  const { publicUrl: url } = sandbox;
  return benchOf({ ports, sandbox, url, delivered, secretKey: SECRET_KEY, close: () => sandbox.close() });
}

function sandboxOptions(ports: TestPorts, secretKey: string, delivered: WebhookDelivery[]): SandboxOptions {
  return {
    clock: ports.clock,
    random: ports.random,
    secretKey,
    webhookUrl: 'http://webhooks.invalid/webhooks/stripe',
    webhookSecret: WEBHOOK_SECRET,
    // Takes deliveries without a socket.
    fetch: async (_, init) => {
      delivered.push(toDelivery(init, ports.clock.now()));
      return new Response(null, { status: 200 });
    },
  };
}

type Parts = Pick<StripeBench, 'ports' | 'sandbox' | 'url' | 'delivered' | 'close'> & { readonly secretKey: string };

function benchOf({ ports, sandbox, url, delivered, secretKey, close }: Parts): StripeBench {
  const another: StripeBench['another'] = (changes = {}) =>
    stripeProvider({ secretKey, webhookSecrets: { current: WEBHOOK_SECRET }, apiBase: url, ports, ...changes });
  return {
    ports,
    sandbox,
    url,
    provider: another(),
    another,
    delivered,
    now: () => ports.clock.now(),
    endings: ['processing', 'failed', 'expired'],
    knowsUnpaid: true,
    trouble: url.endsWith('.invalid') ? null : troubleOf(ports, sandbox),
    refunds: {
      made: (refundSid) => refundsOf(sandbox, refundSid).length,
      end: async (refundSid, state) => {
        for (const { id } of refundsOf(sandbox, refundSid)) sandbox.endRefund(id, { status: state });
      },
    },
    pass: (seconds) => ports.clock.advance(seconds * 1000),
    act: async (orderRef, ending) => {
      if (ending === 'expired') sandbox.expire(orderRef);
      else sandbox.complete(orderRef, ending === 'paid' ? 'paid' : 'later');
      if (ending === 'failed') sandbox.settle(orderRef, false);
      await sandbox.deliveries.settled();
    },
    delivery: async () => {
      const last = delivered.at(-1);
      if (last === undefined) throw new Error('nothing was delivered');
      return last;
    },
    close,
  };
}

const refundsOf = (sandbox: StripeSandbox, refundSid: string) =>
  [...sandbox.state.refunds.values()].filter(({ metadata }) => metadata['refund_sid'] === refundSid);

const FAULT_OF: Readonly<Record<Trouble, Fault['kind']>> = {
  'cut-after': 'reset-after-effect',
  'silent-after': 'timeout-after-effect',
  'error-after': 'error-after-effect',
  'error-before': 'error-before-effect',
  html: 'html',
  'slow-down': 'rate-limit',
};

const troubleOf = (ports: TestPorts, sandbox: StripeSandbox): TroubleBench => ({
  start: (trouble, times) => {
    sandbox.turn({ faults: [{ kind: FAULT_OF[trouble], times }] });
  },
  stop: () => {
    sandbox.calm();
  },
  through: (call) => whileTimePasses(ports, call, () => /^(timeout|hang)/.test(sandbox.requests.at(-1)?.fault ?? '')),
});

function toDelivery(init: RequestInit | undefined, now: Date): WebhookDelivery {
  const headers = new Headers(init?.headers);
  return {
    body: new TextEncoder().encode(typeof init?.body === 'string' ? init.body : ''),
    headers: new Map(Array.from(headers, ([name, value]) => [name, [value]])),
    now,
  };
}
