import { sandboxFetch } from '../../sandbox/clickpesa/in-process.ts';
import { ClickPesaSandbox, type SandboxOptions } from '../../sandbox/clickpesa/sandbox.ts';
import { startClickPesaSandbox } from '../../sandbox/clickpesa/server.ts';
import type { Fault } from '../../sandbox/clickpesa/switches.ts';
import { readReference, referenceOf } from '../../src/providers/clickpesa/reference.ts';
import { clickPesaProvider, type ClickPesaProviderOptions } from '../../src/providers/clickpesa/index.ts';
import type { WebhookDelivery } from '../../src/providers/provider.ts';
import type { ProviderBench } from '../contract/payment-provider.ts';
import { whileTimePasses } from '../contract/time.ts';
import type { Trouble } from '../contract/trouble.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

export const CLIENT_ID = 'IDnBz3k9QwLmX7';
export const API_KEY = 'SKv8yT2rWq5Kp0Zs4Jd6';
export const CHECKSUM_KEY = 'CHKp3Vd9Lk2Xw7Rn5Tq1';

export interface ClickPesaBench extends ProviderBench {
  readonly ports: TestPorts;
  readonly sandbox: ClickPesaSandbox;
  readonly url: string;
  /** Another provider in front of the same simulator. */
  readonly another: (changes?: Partial<ClickPesaProviderOptions>) => ProviderBench['provider'];
  /** What the simulator delivered so far, as our HTTP layer would hand it on. */
  readonly delivered: readonly WebhookDelivery[];
}

/** ClickPesa's simulator on a loopback port, and the provider in front of it. */
export async function openClickPesaBench(): Promise<ClickPesaBench> {
  const ports = testPorts();
  const delivered: WebhookDelivery[] = [];
  const { sandbox, url, close } = await startClickPesaSandbox(sandboxOptions(ports, delivered));
  return benchOf({ ports, sandbox, url, delivered, close });
}

/** The same without a socket: requests are handed to the simulator as calls. */
export async function openInProcessBench(): Promise<ClickPesaBench> {
  const delivered: WebhookDelivery[] = [];
  const own = testPorts();
  const sandbox = new ClickPesaSandbox(sandboxOptions(own, delivered));
  const ports: TestPorts = { ...own, http: { fetch: sandboxFetch(sandbox) } };
  const url = `${sandbox.publicUrl}/third-parties`;
  return { ...benchOf({ ports, sandbox, url, delivered, close: () => sandbox.close() }), trouble: null };
}

function sandboxOptions(ports: TestPorts, delivered: WebhookDelivery[]): SandboxOptions {
  return {
    clock: ports.clock,
    random: ports.random,
    clientId: CLIENT_ID,
    apiKey: API_KEY,
    checksumKey: CHECKSUM_KEY,
    webhookUrl: 'http://webhooks.invalid/webhooks/clickpesa',
    // Takes deliveries without a socket.
    fetch: async (_, init) => {
      const body = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '');
      const headers = new Map(Array.from(new Headers(init?.headers), ([name, value]) => [name, [value]]));
      delivered.push({ body, headers, now: ports.clock.now() });
      return new Response(null, { status: 200 });
    },
  };
}

type Parts = Pick<ClickPesaBench, 'ports' | 'sandbox' | 'url' | 'delivered' | 'close'>;

function benchOf(parts: Parts): ClickPesaBench {
  const { ports, sandbox, url, delivered } = parts;
  const another: ClickPesaBench['another'] = (changes = {}) =>
    clickPesaProvider({
      clientId: CLIENT_ID,
      apiKey: API_KEY,
      checksumKey: CHECKSUM_KEY,
      checksumMethod: 'canonical',
      apiUrl: url,
      isLive: false,
      ports,
      ...changes,
    });
  return {
    ...parts,
    provider: another(),
    another,
    now: () => ports.clock.now(),
    pass: (seconds) => ports.clock.advance(seconds * 1000),
    endings: ['processing', 'failed'],
    knowsUnpaid: false,
    act: async (orderRef, ending) => {
      const status = { paid: 'SUCCESS', processing: 'PROCESSING', failed: 'FAILED' } as const;
      if (ending === 'expired' || sandbox.pay(orderRef, status[ending]) === null) throw new Error(`no ${ending} here`);
      await sandbox.deliveries.settled();
    },
    delivery: async () => {
      const last = delivered.at(-1);
      if (last === undefined) throw new Error('nothing was delivered');
      return last;
    },
    trouble: {
      start: (trouble, times) => {
        sandbox.turn({ faults: [{ kind: FAULT_OF[trouble], times }] });
      },
      stop: () => {
        sandbox.calm();
      },
      through: (call) =>
        whileTimePasses(ports, call, () => /^(timeout|hang)/.test(sandbox.requests.at(-1)?.fault ?? '')),
    },
    refunds: {
      made: (refundSid) =>
        [...sandbox.state.payouts.values()].filter((it) => readReference(it.reference)?.sid === refundSid).length,
      end: async (sid, state) => {
        const reference = referenceOf({ names: 'refund', sid, attempt: 0 });
        sandbox.payoutBecomes(reference, state === 'succeeded' ? 'SUCCESS' : 'REVERSED');
      },
    },
  };
}

const FAULT_OF: Readonly<Record<Trouble, Fault['kind']>> = {
  'cut-after': 'reset-after-effect',
  'silent-after': 'timeout-after-effect',
  'error-after': 'error-after-effect',
  'error-before': 'error-before-effect',
  html: 'html',
  'slow-down': 'rate-limit',
};
