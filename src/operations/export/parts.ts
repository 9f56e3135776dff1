import { formatDecimal } from '../../domain/money.ts';
import type { House } from '../house.ts';
import { toStatementLine, toBilling } from '../billing/billing.ts';
import { toBonus } from '../bonus/bonus.ts';
import { toCodeUse } from '../code/code.ts';
import { toDispute } from '../dispute/dispute.ts';
import { toEndpoint } from '../endpoint/endpoint.ts';
import { toEvent } from '../event/event.ts';
import { toGrant } from '../grant/grant.ts';
import { toHold } from '../hold/hold.ts';
import { toIdentity } from '../identity/list.ts';
import type { Actor } from '../operation.ts';
import { toNotice } from '../notice/notice.ts';
import { toPayment } from '../payment/payment.ts';
import { toReceipt } from '../receipt/receipt.ts';
import { toRefund } from '../refund/refund.ts';
import { toStanding } from '../standing/standing.ts';
import { toSubscription } from '../subscription/subscription.ts';
import { toUnbilled } from '../usage/list-unbilled.ts';
import { toUser } from '../user/user.ts';
import { readBonusOfUser } from '../../store/bonus.ts';
import { listCodeUsesOf } from '../../store/code.ts';
import { listDisputes } from '../../store/dispute.ts';
import { listEndpoints } from '../../store/endpoint.ts';
import { listEvents } from '../../store/event.ts';
import { exportAudit, exportKeys, exportMails, exportMemberships, exportSessions } from '../../store/export.ts';
import { listGrants } from '../../store/grant.ts';
import { listHolds } from '../../store/hold.ts';
import { listIdentities } from '../../store/identity.ts';
import { readQuietHours } from '../../store/notice-setting.ts';
import { listPayments } from '../../store/payment.ts';
import { listReceipts } from '../../store/receipt.ts';
import { listRefunds } from '../../store/refund.ts';
import { listMoves } from '../../store/standing.ts';
import { readWalletFacts } from '../../store/standing-facts.ts';
import { listSubscriptions } from '../../store/subscription.ts';
import { listUnbilled } from '../../store/unbilled.ts';
import type { UserRow } from '../../store/user.ts';
import { readStatement, type WalletRow } from '../../store/wallet.ts';

export type Fact = Readonly<Record<string, unknown>>;

/** Whose data it is. */
export interface Subject {
  readonly user: UserRow;
  readonly wallet: WalletRow;
}

/** A stretch of a part: its records, newest first, and what the next one begins behind; null: there is none. */
export interface Stretch {
  readonly records: readonly Fact[];
  readonly next: string | null;
}

type Read = (house: House, subject: Subject, before: string | null) => Promise<Stretch>;

/** Small enough that no answer is large, large enough that a year of usage is not a thousand round trips. */
const ROWS_MAX = 200;
const limit = ROWS_MAX + 1;

function stretch<R>(rows: readonly R[], keyOf: (row: R) => string, toFact: (row: R) => Fact): Stretch {
  const taken = rows.slice(0, ROWS_MAX);
  const last = taken.at(-1);
  return { records: taken.map(toFact), next: rows.length > ROWS_MAX && last !== undefined ? keyOf(last) : null };
}
const bySid = (row: { readonly sid: string }): string => row.sid;
const whole = (records: readonly Fact[]): Stretch => ({ records, next: null });
const NOTHING_CHOSEN = { state: null, walletSid: null } as const;

/** Everything we keep of a person, in the order in which it is exported. */
const READS = {
  profile: async (_house, { user }) => whole([toUser(user)]),
  notices: async ({ db }, { user }) => whole([toNotice(user.sid, await readQuietHours(db, user.sid))]),
  identities: async ({ db }, { user }) => whole((await listIdentities(db, user.sid)).map(toIdentity)),
  sessions: async ({ db }, { user }, before) =>
    stretch(await exportSessions(db, { userSid: user.sid, before, limit }), bySid, (row) => ({
      sid: row.sid,
      created_at: row.createdAt.toISOString(),
      last_used_at: row.seenAt.toISOString(),
      expires_at: row.expiresAt.toISOString(),
      revoked_at: row.revokedAt?.toISOString() ?? null,
      address: row.address,
      agent: row.agent,
    })),
  keys: async ({ db }, { user }, before) =>
    stretch(await exportKeys(db, { userSid: user.sid, before, limit }), bySid, (row) => ({
      ...row,
      used_at: row.used_at?.toISOString() ?? null,
      created_at: row.created_at.toISOString(),
      expires_at: row.expires_at?.toISOString() ?? null,
      revoked_at: row.revoked_at?.toISOString() ?? null,
    })),
  organisations: async ({ db }, { user }, before) =>
    stretch(
      await exportMemberships(db, { userSid: user.sid, before, limit }),
      (row) => row.organisation_sid,
      ({ monthly_cap: cap, joined_at: joinedAt, left_at: leftAt, ...row }) => ({
        ...row,
        monthly_cap: cap === null ? null : formatDecimal(cap),
        joined_at: joinedAt.toISOString(),
        left_at: leftAt?.toISOString() ?? null,
      }),
    ),
  wallet: async (_house, { wallet }) => whole([toBilling(wallet)]),
  standing: async ({ db }, { wallet }) => {
    const facts = await readWalletFacts(db, [wallet.id]);
    const moves = await listMoves(db, wallet.id, CHANGES_MAX);
    return whole(
      facts.map((one) => ({
        ...toStanding(one),
        moves: moves.map(({ from, to, reason, at }) => ({ from, to, reason, at: at.toISOString() })),
      })),
    );
  },
  statement: async ({ db }, { wallet }, before) =>
    stretch(
      await readStatement(db, { wallet: wallet.id, before: before === null ? null : BigInt(before), limit }),
      (row) => row.seq.toString(),
      (row) => toStatementLine(row, 'owner'),
    ),
  unbilled_usage: async ({ db }, { wallet }, before) => {
    const [at = '', idem = ''] = before?.split(' ') ?? [];
    const key = before === null ? null : { recordedAt: new Date(at), idem };
    return stretch(
      await listUnbilled(db, { before: key, walletSid: wallet.sid, state: null, limit }),
      (row) => `${row.recordedAt.toISOString()} ${row.idem}`,
      toUnbilled,
    );
  },
  payments: async ({ db }, { wallet }, before) =>
    stretch(await listPayments(db, { wallets: [wallet.id], before, state: null, limit }), bySid, toPayment),
  receipts: async ({ db }, { user }, before) =>
    stretch(await listReceipts(db, { owners: [user.sid], before, paymentSid: null, limit }), bySid, (row) => ({
      ...toReceipt(row),
      document: row.facts,
    })),
  refunds: async ({ db }, { user, wallet }, before) => {
    const page = { wallets: [wallet.id], paymentSid: null, state: null, origin: null, before, limit };
    return stretch(await listRefunds(db, page), bySid, (row) => toRefund(row, ownerOf(user)));
  },
  disputes: async ({ db }, { user }, before) =>
    stretch(await listDisputes(db, { ...NOTHING_CHOSEN, owners: [user.sid], before, limit }), bySid, toDispute),
  grants: async ({ db }, { user }, before) =>
    stretch(await listGrants(db, { ...NOTHING_CHOSEN, owners: [user.sid], before, limit }), bySid, toGrant),
  codes: async ({ db }, { user }, before) =>
    stretch(await listCodeUsesOf(db, { userSid: user.sid, before, limit }), ({ grantSid }) => grantSid, toCodeUse),
  bonus: async ({ db }, { user }) => {
    const bonus = await readBonusOfUser(db, user.sid);
    return whole(bonus === null ? [] : [toBonus(bonus)]);
  },
  holds: async ({ db }, { user }, before) => {
    const page = { ...NOTHING_CHOSEN, owners: [user.sid], kind: null, node: null, before, limit };
    return stretch(await listHolds(db, page), bySid, toHold);
  },
  subscriptions: async ({ db }, { user }, before) => {
    const page = { owners: [user.sid], state: null, planCode: null, before, limit };
    return stretch(await listSubscriptions(db, page), bySid, toSubscription);
  },
  endpoints: async ({ db }, { user }, before) =>
    stretch(await listEndpoints(db, { owners: [user.sid], before, limit }), bySid, toEndpoint),
  events: async ({ db }, { user }, before) =>
    stretch(await listEvents(db, { owners: [user.sid], type: null, before, limit }), bySid, toEvent),
  mails: async ({ db }, { user }, before) =>
    stretch(await exportMails(db, { userSid: user.sid, before, limit }), bySid, ({ createdAt, ...row }) => ({
      ...row,
      created_at: createdAt.toISOString(),
    })),
  audit: async ({ db }, { user, wallet }, before) =>
    stretch(await exportAudit(db, { subjects: [user.sid, wallet.sid], before, limit }), bySid, ({ at, ...row }) => ({
      ...row,
      at: at.toISOString(),
    })),
} as const satisfies Readonly<Record<string, Read>>;

export type PartName = keyof typeof READS;
export const PART_NAMES = Object.keys(READS) as [PartName, ...PartName[]];

/** Records that were changed by somebody, by whom and how: read with them, so that it costs a page nothing but one look. */
const AUDITED: ReadonlySet<string> = new Set<PartName>([
  'payments',
  'refunds',
  'disputes',
  'holds',
  'subscriptions',
  'endpoints',
]);
const CHANGES_MAX = 1_000;

/** One stretch of one part, with nothing in it of anybody else. */
export async function readPart(
  house: House,
  subject: Subject,
  part: PartName,
  before: string | null,
): Promise<Stretch> {
  const read: Read = READS[part];
  const { records, next } = await read(house, subject, before);
  const told = AUDITED.has(part) ? await withChanges(house, records) : records;
  return { records: told.map((record) => withoutOthers(record, subject) as Fact), next };
}

async function withChanges(house: House, records: readonly Fact[]): Promise<Fact[]> {
  const subjects = records.map((record) => String(record['sid']));
  const changes = await exportAudit(house.db, { subjects, before: null, limit: CHANGES_MAX });
  const bySubject = Map.groupBy(changes, ({ subject }) => subject);
  return records.map((record) => ({
    ...record,
    changes: (bySubject.get(String(record['sid'])) ?? []).map(({ at, ...change }) => ({
      ...change,
      at: at.toISOString(),
    })),
  }));
}

const ownerOf = ({ sid }: UserRow): Actor => ({ kind: 'user', id: `user:${sid}`, userSid: sid });

const ACTOR = /^(admin|operator|node|user):/;

/** Of whoever else had to do with it only what they are is told: 'operator', not which. */
function withoutOthers(value: unknown, subject: Subject): unknown {
  if (typeof value === 'string') {
    const kind = ACTOR.exec(value)?.[1];
    return kind === undefined || value === `user:${subject.user.sid}` ? value : kind === 'admin' ? 'operator' : kind;
  }
  if (Array.isArray(value)) return value.map((item) => withoutOthers(item, subject));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutOthers(item, subject)]));
}
