import type { Mutant } from './mutant.ts';

/** Bugs of payments, webhooks and jobs. */
export const PAYMENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'credit_keyed_by_our_time',
    lesson: 'Nothing is unique about a payment: each of the events that speak of it credits again.',
    patches: [
      {
        file: 'src/operations/payment/apply-truth.ts',
        find: "receipt.paymentRef, 'top_up'),",
        replace: "receipt.paymentRef, 'top_up', now.toISOString()),",
      },
      {
        file: 'src/operations/payment/apply-truth.ts',
        find: '  externalRef: receipt.paymentRef,\n',
        replace: '  externalRef: `${receipt.paymentRef}/${now.toISOString()}`,\n',
      },
      {
        file: 'src/operations/payment/settle.ts',
        find: "seen.state === 'credited' && !ASKS_OF_CREDITED.has(cause.kind)",
        replace: "seen.state === 'created' && seen.credited !== null",
      },
      {
        file: 'src/domain/payment/judge.ts',
        find: "  if (payment.state === 'credited') return judgeCredited(payment, truth);\n",
        replace: '',
      },
    ],
  },
  {
    name: 'two_transactions_of_a_credit',
    lesson:
      'The posting and the payment’s state are two commits: a crash between them leaves money that nobody can explain.',
    patches: [
      {
        file: 'src/operations/payment/apply-truth.ts',
        find: 'if (after.payment !== payment) await updatePayment',
        replace: "if (after.payment !== payment && after.verdict.kind !== 'credit') await updatePayment",
      },
      {
        file: 'src/operations/payment/settle.ts',
        find: '    if (settled) logSettled(house, settled, cause);\n    return settled;\n',
        replace:
          "    if (settled?.verdict.kind === 'credit') await house.db.transaction('payment.credited', (tx) => updatePayment(tx, settled.payment));\n    return settled;\n",
      },
    ],
  },
  {
    name: 'order_amount_credited',
    lesson: 'What was ordered is credited, whatever was paid (CVE-2026-9189: one dollar bought two thousand).',
    patches: [
      {
        file: 'src/domain/payment/judge.ts',
        find: "reason: 'amount_missing' };\n  return credit(payment, receipts);\n",
        replace:
          "reason: 'amount_missing' };\n  return credit(payment, receipts.map((one) => ({ ...one, amount: micros(payment.amount) })));\n",
      },
    ],
  },
  {
    name: 'currency_not_compared',
    lesson: 'Another currency’s number is credited as dollars.',
    patches: [
      {
        file: 'src/domain/payment/judge.ts',
        find: "  if (truth.currency !== payment.currency) return 'currency_mismatch';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'completed_means_paid',
    lesson:
      'A completed checkout is taken for money, but a bank transfer that is under way may still fail: the event is trusted, not the provider.',
    patches: [
      {
        file: 'src/providers/stripe/map.ts',
        find: "  if (session.payment_status === 'paid') return 'paid';\n",
        replace: "  if (session.payment_status === 'paid' || session.status === 'complete') return 'paid';\n",
      },
      {
        file: 'src/providers/stripe/map.ts',
        find: 'const received = intent.amount_received - ',
        replace: 'const received = (intent.amount_received || asked) - ',
      },
    ],
  },
  {
    name: 'no_signature_check',
    lesson: 'Anybody can send a webhook.',
    patches: [
      {
        file: 'src/providers/stripe/webhook.ts',
        find: 'delivery.now, fits, SECRET_PREFIX);\n',
        replace: "delivery.now, fits, SECRET_PREFIX) ?? 'current';\n",
      },
    ],
  },
  {
    name: 'future_timestamps_accepted',
    lesson: 'A signature from the future is good for ever; the official library bounds the past only.',
    patches: [
      {
        file: 'src/providers/stripe/webhook.ts',
        find: 'Math.abs(nowSeconds - header.timestamp) > TOLERANCE_SECONDS',
        replace: 'nowSeconds - header.timestamp > TOLERANCE_SECONDS',
      },
    ],
  },
  {
    name: 'old_timestamps_accepted',
    lesson: 'A delivery that was recorded once can be sent again for ever.',
    patches: [
      {
        file: 'src/providers/stripe/webhook.ts',
        find: 'Math.abs(nowSeconds - header.timestamp) > TOLERANCE_SECONDS',
        replace: 'header.timestamp - nowSeconds > TOLERANCE_SECONDS',
      },
    ],
  },
  {
    name: 'mode_not_compared',
    lesson: 'Test events and live events are one.',
    patches: [
      {
        file: 'src/domain/payment/judge-event.ts',
        find: "  return event.isLive === home.isLive ? null : 'mode_mismatch';\n",
        replace: '  return null;\n',
      },
      {
        file: 'src/domain/payment/judge-event.ts',
        find: "  if (event.isLive !== payment.isLive) return 'mode_mismatch';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'account_not_compared',
    lesson: 'Events of other accounts are taken for ours.',
    patches: [
      {
        file: 'src/domain/payment/judge-event.ts',
        find: "  if (event.accountId !== home.accountId) return 'account_mismatch';\n",
        replace: '',
      },
      {
        file: 'src/domain/payment/judge-event.ts',
        find: "  if (event.accountId !== payment.providerAccount) return 'account_mismatch';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'webhook_acknowledged_before_its_commit',
    lesson: 'The provider hears 200 before the event is stored, and never sends it again.',
    patches: [
      {
        file: 'src/operations/webhook-event/receive.ts',
        find: 'const isNew = await storeEvent(house, arrival);',
        replace: 'const isNew = true;\n  void storeEvent(house, arrival).catch(() => undefined);',
      },
    ],
  },
  {
    name: 'webhook_marked_before_its_effect',
    lesson:
      'The event is marked in a transaction of its own, before the posting: a crash between them loses the credit.',
    patches: [
      {
        file: 'src/operations/payment/settle.ts',
        find: "  const settled = await house.db.transaction('payment.settle', async (tx) => {\n",
        replace:
          "  if (event) await house.db.transaction('webhook.mark', (tx) => mark(tx, house, event.row, seen.sid, null));\n  const settled = await house.db.transaction('payment.settle', async (tx) => {\n",
      },
    ],
  },
  {
    name: 'webhook_given_up_at_once',
    lesson: 'The first failure of a webhook is its last try.',
    patches: [
      {
        file: 'src/operations/webhook-event/apply.ts',
        find: '  if (attempts < WEBHOOK_ATTEMPTS_MAX || isProviderAway) {\n',
        replace:
          "  if (attempts < WEBHOOK_ATTEMPTS_MAX || isProviderAway) {\n    return await quarantine(house, row, 'unknown_order', null);\n",
      },
    ],
  },
  {
    name: 'new_provider_key_on_each_try',
    lesson: 'The provider sees each repetition as another order: the customer may pay twice.',
    patches: [
      {
        file: 'src/providers/stripe/index.ts',
        find: 'client.createSession(params, order.paymentSid)',
        replace: 'client.createSession(params, `${order.paymentSid}-${ports.clock.now().getTime()}`)',
      },
    ],
  },
  {
    name: 'answer_of_the_creation_call_is_lost',
    lesson: 'A creation call without an answer is taken for a refusal: the customer pays an order that we closed.',
    patches: [
      {
        file: 'src/operations/payment/order.ts',
        find: "error instanceof ProviderFailure && error.kind === 'refused' && error.outcome === 'none';",
        replace: 'error instanceof ProviderFailure;',
      },
    ],
  },
  {
    name: 'payment_cached_in_each_process',
    lesson: 'A page that says "credited" says "open" again when the next request meets another process.',
    patches: [
      {
        file: 'src/operations/payment/get.ts',
        find: '  const payment = await readPayment(call.house.db, sid);\n',
        replace:
          '  const kept = remembered.get(call.house) ?? new Map();\n  remembered.set(call.house, kept);\n  const payment = kept.get(sid) ?? (await readPayment(call.house.db, sid));\n  kept.set(sid, payment);\n',
      },
      {
        file: 'src/operations/payment/get.ts',
        find: 'export const paymentGet =',
        replace: 'const remembered = new WeakMap();\nexport const paymentGet =',
      },
    ],
  },
  {
    name: 'poller_never_asks',
    lesson: 'The poller claims what is due, and asks nobody.',
    patches: [
      {
        file: 'src/operations/payment/poll.ts',
        find: 'for (const sid of sids) await checkPayment(house, sid);\n',
        replace: '',
      },
      { file: 'src/jobs/ticks.ts', find: 'run: reconcilePayments,', replace: 'run: () => Promise.resolve(),' },
      { file: 'src/jobs/ticks.ts', find: 'run: reconcileAll }', replace: 'run: () => Promise.resolve() }' },
      { file: 'src/jobs/ticks.ts', find: 'run: fetchUndelivered,', replace: 'run: () => Promise.resolve(),' },
    ],
  },
  {
    name: 'no_janitor',
    lesson: 'Nothing asks by itself: what a lost webhook would have told stays untold.',
    patches: [
      { file: 'src/jobs/ticks.ts', find: 'run: pollPayments }', replace: 'run: () => Promise.resolve() }' },
      { file: 'src/jobs/ticks.ts', find: 'run: reconcilePayments,', replace: 'run: () => Promise.resolve(),' },
      { file: 'src/jobs/ticks.ts', find: 'run: reconcileAll }', replace: 'run: () => Promise.resolve() }' },
      { file: 'src/jobs/ticks.ts', find: 'run: fetchUndelivered,', replace: 'run: () => Promise.resolve(),' },
    ],
  },
  {
    name: 'no_sweep',
    lesson: 'A job that the queue lost is lost: the webhook lies there for ever.',
    patches: [
      {
        file: 'src/jobs/ticks.ts',
        find: 'run: (house) => sweepWebhooks(house) }',
        replace: 'run: () => Promise.resolve() }',
      },
    ],
  },
  {
    name: 'payments_of_others_are_listed',
    lesson: 'The list forgets to ask whose it is.',
    patches: [
      {
        file: 'src/store/payment.ts',
        find: 'where ($1::bigint[] is null or payment.wallet = any($1)) and',
        replace: 'where ($1::bigint[] is null or payment.wallet > 0) and',
      },
    ],
  },
];
