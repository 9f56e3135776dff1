import type { BonusRule } from '../domain/bonus/rule.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Row, type Tx } from './db.ts';

/** A rule with when it was made. */
export interface BonusRuleRow extends BonusRule {
  readonly createdAt: Date;
}

interface RuleRecord extends Row {
  sid: string;
  percent: number;
  fixed: bigint;
  top_up_min: bigint;
  bonus_max: bigint | null;
  credit_days: number | null;
  active_from: Date;
  created_at: Date;
}

const toRule = (row: RuleRecord): BonusRuleRow => ({
  sid: row.sid,
  percent: row.percent,
  fixed: micros(row.fixed),
  topUpMin: micros(row.top_up_min),
  bonusMax: row.bonus_max === null ? null : micros(row.bonus_max),
  creditDays: row.credit_days,
  activeFrom: row.active_from,
  createdAt: row.created_at,
});

const RULE = 'sid, percent, fixed, top_up_min, bonus_max, credit_days, active_from, created_at';

const insertRuleStatement = statement(
  'bonus.insert_rule',
  `insert into bonus_rule (sid, percent, fixed, top_up_min, bonus_max, credit_days, active_from, created_at, created_by)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict on constraint bonus_rule__one_per_instant do nothing returning sid`,
);

/** False when there is a rule from this very instant on. */
export async function insertBonusRule(tx: Tx, rule: BonusRuleRow, createdBy: string): Promise<boolean> {
  const rows = await tx.query(insertRuleStatement, [
    rule.sid,
    rule.percent,
    rule.fixed,
    rule.topUpMin,
    rule.bonusMax,
    rule.creditDays,
    rule.activeFrom,
    rule.createdAt,
    createdBy,
  ]);
  return rows.length === 1;
}

const ruleAtStatement = statement(
  'bonus.rule_at',
  `select ${RULE} from bonus_rule where active_from <= $1 order by active_from desc limit 1`,
);

/** The rule of an instant; null: none has begun. */
export async function readBonusRuleAt(tx: Tx, at: Date): Promise<BonusRuleRow | null> {
  const [row] = await tx.query<RuleRecord>(ruleAtStatement, [at]);
  return row ? toRule(row) : null;
}

const listRulesStatement = statement(
  'bonus.list_rules',
  `select ${RULE} from bonus_rule where $1::text is null or sid < $1 order by sid desc limit $2`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listBonusRules(
  tx: Tx,
  page: { readonly before: string | null; readonly limit: number },
): Promise<BonusRuleRow[]> {
  return (await tx.query<RuleRecord>(listRulesStatement, [page.before, page.limit])).map(toRule);
}

/** The bonus that somebody had. */
export interface BonusRow {
  readonly userSid: string;
  readonly wallet: bigint;
  readonly paymentSid: string;
  readonly ruleSid: string;
  readonly amount: Micros;
  /** The credit that came of it, or came of giving it again. */
  readonly grantSid: string;
  readonly expiresAt: Date | null;
  readonly givenAt: Date;
  /** False: money of its payment is away, on its way out or disputed, and what was left of the bonus is taken back. */
  readonly isStanding: boolean;
  readonly takenBack: Micros;
  readonly step: number;
}

interface BonusRecord extends Row {
  user_sid: string;
  wallet: bigint;
  payment_sid: string;
  rule_sid: string;
  amount: bigint;
  grant_sid: string;
  expires_at: Date | null;
  given_at: Date;
  is_standing: boolean;
  taken_back: bigint;
  step: number;
}

const toBonus = (row: BonusRecord): BonusRow => ({
  userSid: row.user_sid,
  wallet: row.wallet,
  paymentSid: row.payment_sid,
  ruleSid: row.rule_sid,
  amount: micros(row.amount),
  grantSid: row.grant_sid,
  expiresAt: row.expires_at,
  givenAt: row.given_at,
  isStanding: row.is_standing,
  takenBack: micros(row.taken_back),
  step: row.step,
});

const BONUS =
  'user_sid, wallet, payment_sid, rule_sid, amount, grant_sid, expires_at, given_at, is_standing, taken_back, step';

const insertStatement = statement(
  'bonus.insert',
  `insert into bonus (user_sid, wallet, payment_sid, rule_sid, amount, grant_sid, expires_at, given_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

/** Throws a unique violation (23505) for a second bonus of one user: the caller has made sure that there is none. */
export async function insertBonus(tx: Tx, bonus: Omit<BonusRow, 'isStanding' | 'takenBack' | 'step'>): Promise<void> {
  await tx.query(insertStatement, [
    bonus.userSid,
    bonus.wallet,
    bonus.paymentSid,
    bonus.ruleSid,
    bonus.amount,
    bonus.grantSid,
    bonus.expiresAt,
    bonus.givenAt,
  ]);
}

const isFirstStatement = statement(
  'bonus.is_first',
  // Organisations have none: whoever owns one could open another for each bonus.
  `select not exists (select from payment_event where wallet = $2 and kind = 'top_up' and payment_sid <> $3)
      and not exists (select from bonus where user_sid = $1)
      and exists (select from app_user where sid = $1 and kind = 'person') as is_first`,
);

/** Whether a payment is the first that a person's wallet was credited with. Final while the wallet's account is locked. */
export async function isFirstTopUp(
  tx: Tx,
  { userSid, wallet, paymentSid }: Pick<BonusRow, 'userSid' | 'wallet' | 'paymentSid'>,
): Promise<boolean> {
  const [row] = await tx.query<{ is_first: boolean }>(isFirstStatement, [userSid, wallet, paymentSid]);
  return row?.is_first === true;
}

const lockStatement = statement(
  'bonus.lock_of_payment',
  `select ${BONUS} from bonus where payment_sid = $1 for no key update`,
);

/** The bonus of a payment; null: it had none. */
export async function lockBonusOf(tx: Tx, paymentSid: string): Promise<BonusRow | null> {
  const [row] = await tx.query<BonusRecord>(lockStatement, [paymentSid]);
  return row ? toBonus(row) : null;
}

const hasGoneBackStatement = statement(
  'bonus.has_gone_back',
  `select exists (select from refund where payment_sid = $1 and state in ('awaiting_approval', 'requested', 'unknown', 'pending', 'succeeded'))
       or exists (select from dispute where payment_sid = $1 and state in ('open', 'lost')) as has_gone_back`,
);

/** Whether money of a payment is away, on its way out, or disputed. Final while the payment is locked. */
export async function hasGoneBack(tx: Tx, paymentSid: string): Promise<boolean> {
  const [row] = await tx.query<{ has_gone_back: boolean }>(hasGoneBackStatement, [paymentSid]);
  return row?.has_gone_back === true;
}

const moveStatement = statement(
  'bonus.move',
  `update bonus set grant_sid = $2, is_standing = $3, taken_back = $4, step = $5 where payment_sid = $1`,
);

/** Writes what became of a locked bonus. */
export async function moveBonus(
  tx: Tx,
  { paymentSid, grantSid, isStanding, takenBack, step }: BonusRow,
): Promise<void> {
  await tx.query(moveStatement, [paymentSid, grantSid, isStanding, takenBack, step]);
}

const readOfUserStatement = statement('bonus.of_user', `select ${BONUS} from bonus where user_sid = $1`);

/** The bonus that somebody had; null: none. */
export async function readBonusOfUser(tx: Tx, userSid: string): Promise<BonusRow | null> {
  const [row] = await tx.query<BonusRecord>(readOfUserStatement, [userSid]);
  return row ? toBonus(row) : null;
}
