/** `npm run demo`: the story of one wallet in a terminal, on a real server of its own that is gone afterwards. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createClient, type Client } from '../client/client.ts';
import { removeDataDir, startOwnServer, type OwnServer } from './own-server.ts';

const HELP = `Walks through the life of a wallet: sign up, top up, debit, adjust, statement, ledger check.

  npm run demo

Starts a server of its own in a temporary folder, on a free port, and removes both at the end.
`;

const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } });
if (values.help) process.stdout.write(HELP);
else await demo();

async function demo(): Promise<void> {
  say('Starting a server with an empty database …');
  const server = await startOwnServer();
  try {
    await story(server);
  } finally {
    await server.stop();
    await removeDataDir(server);
  }
}

async function story(server: OwnServer): Promise<void> {
  const operator = createClient({ url: server.url, adminSecret: server.adminSecret });

  step('1. Asha signs up and gets an empty wallet');
  const session = await signIn(server.url, 'Asha');
  const asha = createClient({ url: server.url, token: session.token });
  const sid = session.wallet_sid;
  await showBalance(asha, sid);

  step('2. She tops up 25 USD: the service asks the provider for a checkout page');
  const idempotencyKey = crypto.randomUUID();
  const payment = await asha.call('payment.create', { provider: 'stripe', amount: '25.00' }, { idempotencyKey });
  say(`   payment ${payment.state}, to be paid at ${String(payment.checkout_url)}`);
  const again = await asha.answer('payment.create', { provider: 'stripe', amount: '25.00' }, { idempotencyKey });
  say(`   sent again with the same key: the same payment${again.isReplayed ? ', nothing new' : ''}`);

  step('3. She presses “Pay” there; the provider’s webhook arrives, its truth is read again, the wallet is credited');
  await pay(String(payment.checkout_url));
  await credited(asha, payment.sid);
  await showBalance(asha, sid);

  step('4. A node reports an hour of compute: 0.11 USD, once, however often it is sent');
  const debit = { sid, amount: '0.11', description: 'Hero OS, one hour' };
  for (const _ of [1, 2, 3]) await operator.call('billing.debit', debit, { idempotencyKey: 'node-7/hour-1' });
  await showBalance(asha, sid);

  step('5. A debit above the balance is refused, and stays refused');
  const dear = { sid, amount: '500.00', description: 'a rack of GPUs' };
  const refused = await operator
    .call('billing.debit', dear, { idempotencyKey: 'node-7/rack' })
    .catch((error: unknown) => error);
  say(`   ${refused instanceof Error ? refused.message : 'not refused'}`);

  step('6. The operator sets the balance to 30 USD, with a reason');
  const adjusted = await operator.call('billing.adjust', { sid, balance_cents: 3000, reason: 'sorry for the outage' });
  say(`   from ${adjusted.prev_balance} to ${adjusted.new_balance} cents`);

  step('7. Asha’s statement');
  const statement = await asha.call('billing.statement', { sid });
  for (const line of statement.items) {
    const columns = [line.seq, line.kind.padEnd(10), line.amount.padStart(8), line.balance_after.padStart(8)];
    say(`   ${columns.join('  ')}  ${line.description ?? ''}`);
  }

  step('8. The ledger proves itself: hero-onboarding ledger check');
  const check = spawnSync(process.execPath, ['src/main.ts', 'ledger', 'check'], {
    cwd: new URL('..', import.meta.url).pathname,
    env: { ...process.env, HERO_ONBOARDING_DATA_DIR: server.dataDir },
    encoding: 'utf8',
  });
  say(check.stdout.trimEnd().replaceAll(/^/gm, '   '));
  if (check.status !== 0) throw new Error(`the ledger check failed: ${check.stderr}`);
}

async function signIn(url: string, name: string): Promise<{ token: string; wallet_sid: string }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/login/sandbox`, { method: 'POST', headers, body: JSON.stringify({ name }) });
  if (!answer.ok) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { token: string; wallet_sid: string };
}

/** What the button on the sandbox's checkout page sends. */
async function pay(checkoutUrl: string): Promise<void> {
  const body = new URLSearchParams({ choice: 'pay' });
  const answer = await fetch(checkoutUrl, { method: 'POST', body, redirect: 'manual' });
  if (answer.status >= 400) throw new Error(`the checkout page answered ${answer.status}`);
}

async function credited(client: Client, sid: string): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const { state } = await client.call('payment.get', { sid });
    if (state === 'credited') return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the payment was not credited within 15 seconds');
}

async function showBalance(client: Client, sid: string): Promise<void> {
  const billing = await client.call('billing.get', { sid });
  say(`   balance ${billing.credit_balance} USD, paid in so far ${(billing.lifetime_paid_cents / 100).toFixed(2)} USD`);
}

function step(title: string): void {
  say(`\n${title}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
