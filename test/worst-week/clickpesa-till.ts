import { sandboxFetch } from '../../sandbox/clickpesa/in-process.ts';
import { ClickPesaSandbox } from '../../sandbox/clickpesa/sandbox.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { fromCents } from '../../src/domain/money.ts';
import { clickPesaProvider } from '../../src/providers/clickpesa/index.ts';
import type { Letter, Till } from './till.ts';

const KEYS = { clientId: 'IDnBz3k9QwLmX7', apiKey: 'SKv8yT2rWq5Kp0Zs4Jd6', checksumKey: 'CHKp3Vd9Lk2Xw7Rn5Tq1' };
const CAME = new Set(['SUCCESS', 'SETTLED']);

export function clickPesaTill(
  ports: Ports,
  post: (letter: Letter) => void,
): Till & { readonly sandbox: ClickPesaSandbox } {
  const sandbox = new ClickPesaSandbox({
    ...KEYS,
    clock: ports.clock,
    random: ports.random,
    webhookUrl: 'http://webhooks.invalid/webhooks/clickpesa',
    fetch: (_, init) => {
      post({ provider: 'clickpesa', body: typeof init?.body === 'string' ? init.body : '', headers: {} });
      return Promise.resolve(new Response(null, { status: 200 }));
    },
  });
  const { state } = sandbox;
  sandbox.turn({ settleAfterMs: 2 * 3_600_000 });
  const origin = new URL(sandbox.publicUrl).origin;
  const paymentsOf = (orderRef: string) => [...state.payments.values()].filter((it) => it.reference === orderRef);
  return {
    name: 'clickpesa',
    sandbox,
    origin,
    api: sandboxFetch(sandbox),
    open: (own) =>
      clickPesaProvider({
        ...KEYS,
        apiUrl: `${sandbox.publicUrl}/third-parties`,
        checksumMethod: 'canonical',
        isLive: false,
        ports: own,
      }),
    visit: (orderRef, dice) => {
      const share = dice.share();
      if (share < 0.6) sandbox.pay(orderRef, dice.is(0.5) ? 'SUCCESS' : 'SETTLED');
      else if (share < 0.8) {
        const payment = sandbox.start(orderRef);
        if (payment !== null) sandbox.approve(payment);
      } else if (share < 0.9) sandbox.pay(orderRef, 'FAILED');
      else if (share < 0.93) {
        // Two people use one link.
        sandbox.pay(orderRef);
        sandbox.pay(orderRef, 'SUCCESS', '255712000002');
      }
    },
    trouble: (orderRef, dice) => {
      const [payment] = paymentsOf(orderRef);
      if (payment !== undefined && CAME.has(payment.status) && dice.is(0.5))
        sandbox.become(payment.id, payment.status === 'SETTLED' ? 'REVERSED' : 'REFUNDED');
      else if (payment?.status === 'SUCCESS') sandbox.become(payment.id, 'SETTLED');
    },
    end: (dice) => {
      for (const payment of state.payments.values())
        if (payment.status === 'PROCESSING') sandbox.become(payment.id, 'SUCCESS');
      for (const payout of state.payouts.values())
        if (payout.status === 'AUTHORIZED' || payout.status === 'PROCESSING')
          sandbox.payoutBecomes(payout.reference, dice.is(0.8) ? 'SUCCESS' : 'REVERSED');
    },
    // All but the last character, which counts the attempts to make a link.
    keyOf: (orderRef) => orderRef.slice(0, -1),
    stamp: (letter) => letter,
    books: () => {
      const came = [...state.payments.values()].filter(({ status }) => CAME.has(status));
      const kept = [...state.payouts.values()].filter(({ status }) => status === 'SUCCESS');
      const fees = [...state.payouts.values()].reduce((sum, it) => sum + it.feeHundredths, 0);
      const paid = came.reduce((sum, it) => sum + it.hundredths, 0);
      const leftMicros = new Map<string, bigint>();
      for (const it of came)
        leftMicros.set(it.reference, (leftMicros.get(it.reference) ?? 0n) + fromCents(it.hundredths));
      const paidOut = kept.reduce((sum, it) => sum + it.hundredths, 0);
      return { balanceMicros: fromCents(paid - paidOut - fees), leftMicros, paidOutMicros: fromCents(paidOut) };
    },
    close: () => sandbox.close(),
  };
}
