import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { CODE_TYPED_MAX, readCode, type CodeForm } from '../../domain/code/form.ts';
import { judgeRedeem, missedAgain, secondsToWait, type CodeRefusal } from '../../domain/code/judge.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { countCodeUses, insertCodeUse, lockCode, type CodeRow } from '../../store/code.ts';
import { lockCodeMisses, writeCodeMisses } from '../../store/code-miss.ts';
import type { Tx } from '../../store/db.ts';
import { lockAhead } from '../../store/ledger.ts';
import { readWalletBySid, readWalletByUser, type WalletRow } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { giveCredit } from '../grant/give.ts';
import { operation, type Actor, type Call } from '../operation.ts';
import { amountField, instant, sidField } from '../schema.ts';
import { wakeStanding } from '../standing/wake.ts';
import { visibleWallet } from '../visible.ts';

const DAY_MS = 86_400_000;
/** Among credit that ends at the same time promo codes are used first: they are the least anybody would miss. */
export const CODE_PRIORITY = 100;

export const codeRedeem = operation({
  name: 'code.redeem',
  summary: 'Redeem a promo code: its credit is given to the wallet',
  description:
    'For a wallet of one’s own, or of an organisation that one owns. The credit is spent before what was paid, is never paid out, and counts in no ' +
    'lifetime_paid. A code that never was, has ended, has not begun or was closed is unknown; after ten unknown ones within an hour one waits.',
  http: { method: 'post', path: '/v1/billings/{sid}/codes', status: 201 },
  access: 'user',
  right: 'people',
  idempotency: 'required',
  input: z.strictObject({
    sid: sidField,
    code: z
      .string()
      .min(1)
      .max(CODE_TYPED_MAX)
      .describe('As it is printed; case, spaces and hyphens make no difference, nor O for 0, or I and L for 1.'),
  }),
  output: z
    .object({
      wallet_sid: sidField,
      code: z.string().describe('As it is printed.'),
      description: z.string(),
      amount: amountField,
      grant_sid: sidField.describe('The credit that came of it.'),
      expires_at: instant.nullable().describe('Until then it can be spent; null: it does not end.'),
    })
    .meta({ id: 'RedeemedCode' }),
  refusals: [
    'forbidden',
    'wallet_frozen',
    'not_found',
    'code_unknown',
    'code_already_used',
    'code_used_up',
    'code_not_eligible',
    'state_conflict',
    'rate_limited',
  ],
  async run(call, input) {
    const userSid = personOf(call.actor);
    if (isRefusal(userSid)) return userSid;
    const form = readCode(input.code);
    return await call.commit(async (tx) => {
      const wallet = await visibleWallet(tx, call.actor, input.sid);
      return isRefusal(wallet) ? wallet : await redeem(tx, call, { userSid, wallet, form });
    });
  },
});

function personOf(actor: Actor): string | Refusal {
  if (actor.kind === 'user') return actor.userSid;
  return refuse(
    'forbidden',
    'Codes are for customers. Operators give credit with grant.give, which asks for a reason.',
  );
}

interface Asked {
  readonly userSid: string;
  readonly wallet: WalletRow;
  /** Null: what was typed is no code. */
  readonly form: CodeForm | null;
}

/**
 * Locks from the outside in: the person's tries, the code, the wallet's account, and looks at the wallet only then: a first top-up, a freeze or
 * an erasure that came before is seen. Refuses before it writes anything but the miss.
 */
async function redeem(tx: Tx, call: Call, { userSid, wallet: seen, form }: Asked) {
  const { house } = call;
  const misses = await lockCodeMisses(tx, userSid);
  const now = house.ports.clock.now();
  const wait = secondsToWait(misses, now);
  if (wait > 0) return tooManyMisses(wait);
  const code = form && (await lockCode(tx, form.letters));
  await lockAhead(tx, [liveAccount(seen.id, 'wallet')]);
  const wallet = await readWalletBySid(tx, seen.sid);
  assert(wallet !== null, 'a wallet is never deleted');
  const refusal = judgeRedeem(code, await redeemerOf(tx, { userSid, wallet, code }), now);
  if (refusal === 'code_unknown' || code === null) {
    await writeCodeMisses(tx, userSid, missedAgain(misses, now));
    return refuse('code_unknown', MESSAGES.code_unknown);
  }
  if (refusal !== null) return refuse(refusal, MESSAGES[refusal], detailsOf(refusal, code));
  if (wallet.isFrozen) return refuse('wallet_frozen', 'The wallet is frozen: it takes no codes. Ask its operator.');
  const number = code.uses + 1;
  const expiresAt = code.creditDays === null ? null : new Date(now.getTime() + code.creditDays * DAY_MS);
  const given = await giveCredit(tx, house, {
    wallet,
    amount: code.amount,
    kind: 'promo',
    priority: CODE_PRIORITY,
    expiresAt,
    reason: `${code.description} (${code.word})`,
    // The number is the use's own: a second posting for one use would have the same key.
    idem: deriveIdem('code.redeem', code.sid, String(number)),
    fingerprint: fingerprintOf([code.sid, wallet.sid, userSid]),
    author: call,
  });
  if (isRefusal(given)) return given;
  await wakeStanding(tx, house, { wallet: wallet.id, walletSid: wallet.sid });
  const use = { code: code.sid, number, userSid, wallet: wallet.id, amount: code.amount, grantSid: given.sid };
  assert(await insertCodeUse(tx, { ...use, redeemedAt: now }), 'uses of a locked code are counted one by one');
  const facts = { wallet_sid: wallet.sid, amount: formatDecimal(code.amount), grant_sid: given.sid };
  await recordAudit(tx, call, { action: 'code.redeem', subject: code.sid, after: { ...facts, use: number } });
  return {
    ...facts,
    code: code.word,
    description: code.description,
    expires_at: expiresAt?.toISOString() ?? null,
  };
}

/** Who asks, as far as the code asks about it. */
async function redeemerOf(tx: Tx, { userSid, wallet, code }: Omit<Asked, 'form'> & { readonly code: CodeRow | null }) {
  const uses = code && (await countCodeUses(tx, { code: code.sid, userSid, wallet: wallet.id }));
  // An organisation is made in a moment: who has paid before is no new customer in it.
  const own =
    wallet.userSid === userSid || code?.isForNewCustomers !== true ? wallet : await readWalletByUser(tx, userSid);
  return {
    usesByUser: uses?.byUser ?? 0,
    usesByWallet: uses?.byWallet ?? 0,
    hasPaid: wallet.firstPaidAt !== null || own?.firstPaidAt != null,
    lifetimePaid: wallet.lifetimePaid,
  };
}

const MESSAGES: Readonly<Record<CodeRefusal, string>> = {
  code_unknown:
    'There is no such code now. Look at it again, letter by letter; it may also have ended, or not have begun.',
  code_already_used: 'This code has been redeemed by you, or for this wallet, as often as it may be.',
  code_used_up: 'This code has been redeemed as often as it may be: others were faster.',
  code_not_eligible: 'This code is not for this wallet.',
};

function detailsOf(refusal: CodeRefusal, code: CodeRow) {
  if (refusal !== 'code_not_eligible') return {};
  return {
    details: code.isForNewCustomers
      ? { is_for_new_customers: true }
      : { lifetime_paid_min: formatDecimal(code.lifetimePaidMin) },
  };
}

const tooManyMisses = (retryAfterSeconds: number): Refusal =>
  refuse(
    'rate_limited',
    `Too many codes that were none. Wait ${minutesText(retryAfterSeconds)}, and then type it from where it is printed.`,
    { retryAfterSeconds },
  );

function minutesText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}
