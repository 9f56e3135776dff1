import { mayReach } from '../../domain/event/address.ts';
import { judgeAttempt, type AttemptFacts, type AttemptVerdict } from '../../domain/event/delivery.ts';
import { webhookHeaders } from '../../domain/event/signature.ts';
import { WebhookNotSent } from '../../ports/ports.ts';
import type { Tx } from '../../store/db.ts';
import { recordAttempt, type AttemptRow, type ClaimedDelivery } from '../../store/delivery.ts';
import { disableEndpoint, markTried } from '../../store/endpoint.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import { reachRules } from '../endpoint/endpoint.ts';
import { secretsNow } from '../endpoint/secret.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

/** Long enough for a receiver that thinks before it answers; within the 15 to 30 seconds that the convention asks for. */
export const ATTEMPT_MS = 15_000;
/** What is read of an answer, and what is kept of it: enough to see an error message. */
const ANSWER_BYTES_MAX = 1_024;
const USER_AGENT = 'hero-onboarding';

/**
 * Sends one delivery that was claimed, and writes down what came of it.
 *
 * A process that dies in between leaves it to be sent again, under the same `webhook-id`: at least once, never lost.
 */
export async function sendDelivery(house: House, claimed: ClaimedDelivery): Promise<void> {
  const { clock, crash, random } = house.ports;
  const startedMs = clock.monotonicMs();
  const at = clock.now();
  const outcome = await attempt(house, claimed);
  await crash.reach('webhook:after:post');
  const verdict = judgeAttempt(outcome, {
    now: clock.now(),
    tries: claimed.tries + 1,
    failingSince: claimed.failingSince,
    chance: (random.bytes(1)[0] ?? 0) / 255,
  });
  const { status, error, answer } = outcome;
  const row = { at, durationMs: Math.round(clock.monotonicMs() - startedMs), status, error, answer };
  await house.db.transaction('delivery.record', (tx) => record(tx, house, claimed, row, verdict));
}

type Outcome = AttemptFacts & Pick<AttemptRow, 'error' | 'answer'>;

async function attempt(house: House, claimed: ClaimedDelivery): Promise<Outcome> {
  const { clock, crash, webhooks, log } = house.ports;
  const now = clock.now();
  const secrets = secretsNow(house, claimed.endpoint, claimed, now);
  if (secrets === null) {
    log.error({ endpoint_sid: claimed.endpoint }, 'no encryption key opens the secret of an endpoint: rotate it');
    return noAnswer('secret_unreadable');
  }
  const { body, event: id, url } = claimed;
  const signed = webhookHeaders(secrets, { id, timestamp: Math.floor(now.getTime() / 1_000), body });
  const rules = reachRules(house);
  const deadline = new AbortController();
  const isOver = new AbortController();
  void clock.sleep(ATTEMPT_MS, isOver.signal).then(() => deadline.abort());
  await crash.reach('webhook:before:post');
  try {
    const { status, retryAfter, start } = await webhooks.post({
      url,
      headers: { ...signed, 'content-type': 'application/json', 'user-agent': USER_AGENT },
      body,
      mayReach: (address) => mayReach(address, rules),
      signal: deadline.signal,
      answerBytesMax: ANSWER_BYTES_MAX,
    });
    return { status, retryAfter, isTimeout: false, error: null, answer: textOf(start) };
  } catch (error) {
    if (!(error instanceof WebhookNotSent)) throw error;
    return noAnswer(error.reason);
  } finally {
    isOver.abort();
  }
}

const noAnswer = (error: string): Outcome => ({
  status: null,
  retryAfter: null,
  isTimeout: error === 'timeout',
  error,
  answer: null,
});

/** As people can read it: PostgreSQL stores no NUL, and half a character becomes a mark. */
const textOf = (start: Uint8Array): string => Buffer.from(start).toString('utf8').replaceAll('\u0000', '\ufffd');

async function record(
  tx: Tx,
  house: House,
  claimed: ClaimedDelivery,
  row: Omit<AttemptRow, 'number'>,
  verdict: AttemptVerdict,
): Promise<void> {
  const now = house.ports.clock.now();
  await recordAttempt(tx, claimed.sid, row, verdict, now);
  await markTried(tx, claimed.endpoint, verdict);
  if (verdict.disable === null) return;
  const disabled = await disableEndpoint(tx, claimed.endpoint, verdict.disable, now);
  if (!disabled) return;
  const { userSid, url } = disabled;
  const wallet = userSid === null ? null : await readWalletByUser(tx, userSid);
  const of = wallet === null ? null : { wallet: wallet.id, walletSid: wallet.sid, userSid: wallet.userSid };
  await emit(tx, house, {
    type: 'endpoint.disabled',
    of,
    facts: { endpoint_sid: claimed.endpoint, url, reason: verdict.disable },
  });
  const facts = { endpoint_sid: claimed.endpoint, reason: verdict.disable };
  house.ports.log.warn(facts, 'an endpoint is told nothing any more');
}
