import { micros, type Micros } from '../domain/money.ts';
import type { RechargeReason, RechargeState } from '../domain/auto-recharge/state.ts';
import { statement, type Row, type Tx } from './db.ts';

/** What lies in the grants of a wallet; one without grants costs a comparison. */
const GIVEN = `case when main.given_slots = 0 then 0 else coalesce(
     (select sum(given.balance) from account as given where given.id > main.id + 2 and given.id < main.id + 16), 0) end`;

export interface AutoRechargeRow {
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly threshold: Micros;
  readonly target: Micros;
  readonly monthlyCap: Micros;
  readonly state: RechargeState;
  readonly reason: RechargeReason | null;
  readonly declines: number;
  readonly notBefore: Date | null;
  readonly lastPaymentSid: string | null;
  readonly consent: string;
  readonly consentedAt: Date;
  readonly updatedAt: Date;
}

interface AutoRechargeRecord extends Row {
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  provider: string;
  provider_account: string;
  threshold: bigint;
  target: bigint;
  monthly_cap: bigint;
  state: RechargeState;
  reason: RechargeReason | null;
  declines: number;
  not_before: Date | null;
  last_payment_sid: string | null;
  consent: string;
  consented_at: Date;
  updated_at: Date;
}

const fromRow = (row: AutoRechargeRecord): AutoRechargeRow => ({
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  provider: row.provider,
  providerAccount: row.provider_account,
  threshold: micros(row.threshold),
  target: micros(row.target),
  monthlyCap: micros(row.monthly_cap),
  state: row.state,
  reason: row.reason,
  declines: row.declines,
  notBefore: row.not_before,
  lastPaymentSid: row.last_payment_sid,
  consent: row.consent,
  consentedAt: row.consented_at,
  updatedAt: row.updated_at,
});

const SELECT = `select auto_recharge.wallet, wallet.sid as wallet_sid, wallet.user_sid, provider, provider_account, threshold, target,
  monthly_cap, state, reason, declines, not_before, last_payment_sid, consent, consented_at, updated_at
  from auto_recharge join wallet on wallet.id = auto_recharge.wallet where auto_recharge.wallet = $1`;
const readStatement = statement('auto_recharge.read', SELECT);
const lockStatement = statement('auto_recharge.lock', `${SELECT} for no key update of auto_recharge`);

export async function readAutoRecharge(tx: Tx, wallet: bigint): Promise<AutoRechargeRow | null> {
  const [row] = await tx.query<AutoRechargeRecord>(readStatement, [wallet]);
  return row ? fromRow(row) : null;
}

/** Has decisions about one wallet made one after the other. */
export async function lockAutoRecharge(tx: Tx, wallet: bigint): Promise<AutoRechargeRow | null> {
  const [row] = await tx.query<AutoRechargeRecord>(lockStatement, [wallet]);
  return row ? fromRow(row) : null;
}

const saveStatement = statement(
  'auto_recharge.save',
  `insert into auto_recharge (wallet, provider, provider_account, threshold, target, monthly_cap, state, reason, declines, not_before,
                              last_payment_sid, consent, consented_at, updated_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
   on conflict on constraint auto_recharge__pk do update set
     provider = excluded.provider, provider_account = excluded.provider_account, threshold = excluded.threshold, target = excluded.target,
     monthly_cap = excluded.monthly_cap, state = excluded.state, reason = excluded.reason, declines = excluded.declines,
     not_before = excluded.not_before, last_payment_sid = excluded.last_payment_sid, consent = excluded.consent,
     consented_at = excluded.consented_at, updated_at = excluded.updated_at`,
);

/** Writes the whole row. Whoever changes one that is there holds its lock. */
export async function saveAutoRecharge(tx: Tx, row: Omit<AutoRechargeRow, 'walletSid' | 'userSid'>): Promise<void> {
  await tx.query(saveStatement, [
    row.wallet,
    row.provider,
    row.providerAccount,
    row.threshold,
    row.target,
    row.monthlyCap,
    row.state,
    row.reason,
    row.declines,
    row.notBefore,
    row.lastPaymentSid,
    row.consent,
    row.consentedAt,
    row.updatedAt,
  ]);
}

/** Where a wallet stands towards its next charge. */
export interface Standing {
  /** What it can spend: given credit is used before any card is charged. */
  readonly balance: Micros;
  readonly isFrozen: boolean;
  readonly hasOpenCharge: boolean;
  /** What charges since an instant took, or may still take. */
  readonly charged: Micros;
}

const standingStatement = statement(
  'auto_recharge.standing',
  // One statement, so one moment: a charge is either still open, or its money is in the balance that is read beside it.
  `select (main.balance + ${GIVEN})::int8 as balance, main.is_frozen,
          exists (select from payment where payment.wallet = $1 and card_ref is not null and payment.state in ('created', 'open', 'processing'))
            as has_open_charge,
          coalesce((select sum(coalesce(credited, payment.amount)) from payment
                    where payment.wallet = $1 and card_ref is not null and payment.created_at >= $2
                      and payment.state not in ('failed', 'expired')), 0)::int8 as charged
   from account as main where main.id = $1 * 16`,
);

/** `chargedSince`: the start of the period that the cap is for. */
export async function readStanding(tx: Tx, wallet: bigint, chargedSince: Date): Promise<Standing | null> {
  const [row] = await tx.query<{ balance: bigint; is_frozen: boolean; has_open_charge: boolean; charged: bigint }>(
    standingStatement,
    [wallet, chargedSince],
  );
  if (!row) return null;
  return {
    balance: micros(row.balance),
    isFrozen: row.is_frozen,
    hasOpenCharge: row.has_open_charge,
    charged: micros(row.charged),
  };
}

const dueStatement = statement(
  'auto_recharge.due',
  `select auto_recharge.wallet from auto_recharge join account as main on main.id = auto_recharge.wallet * 16
   where auto_recharge.provider = $1 and auto_recharge.provider_account = $2 and auto_recharge.state = 'on' and auto_recharge.wallet > $3
     and main.balance + ${GIVEN} < threshold and not main.is_frozen and (not_before is null or not_before <= $4)
     and not exists (select from payment where payment.wallet = auto_recharge.wallet and card_ref is not null
                       and payment.state in ('created', 'open', 'processing'))
   order by auto_recharge.wallet limit $5`,
);

/** Wallets below their threshold that nothing keeps from being charged, in the order of their ids after `after`. */
export async function listDueRecharges(
  tx: Tx,
  due: {
    readonly provider: string;
    readonly account: string;
    readonly after: bigint;
    readonly now: Date;
    readonly limit: number;
  },
): Promise<bigint[]> {
  const rows = await tx.query<{ wallet: bigint }>(dueStatement, [
    due.provider,
    due.account,
    due.after,
    due.now,
    due.limit,
  ]);
  return rows.map((row) => row.wallet);
}

const mayChargeStatement = statement(
  'auto_recharge.may_charge',
  `select 1 from auto_recharge join account as main on main.id = auto_recharge.wallet * 16
   where auto_recharge.wallet = $1 and auto_recharge.state = 'on' and last_payment_sid = $2 and not main.is_frozen`,
);

/** Whether the owner still wants the charge that was decided, and the wallet is not frozen. */
export async function mayStillCharge(tx: Tx, wallet: bigint, paymentSid: string): Promise<boolean> {
  return (await tx.query(mayChargeStatement, [wallet, paymentSid])).length > 0;
}
