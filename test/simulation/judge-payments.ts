import type { StripeState } from '../../sandbox/stripe/state.ts';
import { KIND, MICROS_PER_CENT, type Break, type Entry, type LedgerModel } from './ledger-model.ts';
import { isMark, type Mark } from './marks.ts';

export interface PaymentJudgeOptions {
  readonly model: LedgerModel;
  readonly provider: StripeState;
  /** The provider's events that the house has taken with 200. */
  readonly taken: ReadonlySet<string>;
  readonly heals: boolean;
  readonly nowMs: number;
  readonly rows: <R>(text: string) => Promise<R[]>;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

interface PaymentRow {
  readonly sid: string;
  readonly state: string;
  readonly amount: bigint;
  readonly credited: bigint | null;
  readonly expires_at: Date;
}

interface InboxRow {
  readonly event_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly next_attempt_at: Date | null;
  readonly body: Buffer;
}

interface Told {
  readonly id: string;
  readonly type: string;
  readonly account?: string | null;
  readonly livemode: boolean;
  readonly data: {
    readonly object: {
      readonly id: string;
      readonly payment_intent?: string;
      readonly client_reference_id?: string | null;
      readonly metadata?: Readonly<Record<string, string>>;
      readonly payment_status?: string;
    };
  };
}

const PAID_NEWS =
  /^(checkout\.session\.(completed|async_payment_succeeded)|payment_intent\.succeeded|charge\.succeeded)$/;
const ENDED = new Set(['credited', 'failed', 'expired', 'quarantined']);
/** Everything that waits has had many turns by then. */
const OVERDUE_MS = 6 * 3_600_000;
const HEALED_MS = 2 * 3_600_000;

/** The provider's truth against ours: credited is exactly what was received, for each payment once, and nothing waits for ever. */
export class PaymentJudge {
  readonly #options: PaymentJudgeOptions;
  readonly #credits = new Map<string, Entry[]>();
  #payments: readonly PaymentRow[] = [];

  constructor(options: PaymentJudgeOptions) {
    this.#options = options;
  }

  async judge(): Promise<void> {
    const { model, rows } = this.#options;
    this.#payments = await rows<PaymentRow>('select sid, state, amount, credited, expires_at from payment');
    for (const sid of model.walletSids) {
      for (const entry of model.entriesOf(sid, 0n)) {
        if (entry.kind !== KIND.topUp) continue;
        const ref = String(entry.facts['external_ref']);
        this.#credits.set(ref, [...(this.#credits.get(ref) ?? []), entry]);
      }
    }
    this.#judgeCredits();
    this.#judgeSessions();
    this.#judgeRows();
    await this.#judgeWaiting();
    await this.#judgeInbox();
    await this.#judgeEvents();
  }

  #judgeCredits(): void {
    const { provider, breaks } = this.#options;
    for (const [ref, entries] of this.#credits) {
      const intent = provider.intents.get(ref);
      const expected = BigInt(intent?.amountReceived ?? 0) * MICROS_PER_CENT;
      const isReal = intent?.status === 'succeeded' && intent.currency === 'usd' && !intent.livemode;
      if (!isReal) breaks('I12 no credit without money', `payment ${ref}`);
      if (entries.length > 1) breaks('I11 each payment is credited once', `payment ${ref}`);
      if (entries.some(({ amount }) => amount !== expected)) breaks('I12 credited what was received', `payment ${ref}`);
    }
  }

  #judgeSessions(): void {
    const { provider, heals, breaks, mark } = this.#options;
    const payments = new Map(this.#payments.map((row) => [row.sid, row]));
    const sessionsOf = new Map<string, number>();
    for (const session of provider.sessions.values()) {
      const sid = session.clientReferenceId ?? '';
      sessionsOf.set(sid, (sessionsOf.get(sid) ?? 0) + 1);
      const payment = payments.get(sid);
      if (!payment) {
        breaks('I26 an order has a payment before it', `order ${session.id} names ${sid}`);
        continue;
      }
      if (payment.state === 'failed' && session.status !== 'complete')
        breaks('I13 a payment fails with its order', `payment ${sid}, its order is ${session.status}`);
      const intent = session.intentId === null ? undefined : provider.intents.get(session.intentId);
      if (intent?.status !== 'succeeded' || session.paymentStatus !== 'paid' || intent.amountReceived === 0) continue;
      if (session.currency !== 'usd' || intent.currency !== 'usd') {
        mark('money in another currency is set aside');
        continue;
      }
      if (BigInt(intent.amountReceived) * MICROS_PER_CENT !== payment.amount) mark('the amount differs from the order');
      const isKnown = this.#wasTold(session.id, intent.id);
      const isCredited = this.#credits.has(intent.id);
      if ((heals || isKnown) && !isCredited) {
        breaks(
          'I13 money that came is credited',
          `payment ${sid} is ${payment.state}, healing ${heals ? 'on' : 'off'}`,
        );
      }
      if (!heals && !isCredited) mark('a lost webhook stays lost without healing');
      if (heals && !isKnown && isCredited) mark('healing credits what no webhook told');
    }
    for (const [sid, count] of sessionsOf) if (count > 1) breaks('I25 one order per payment', `payment ${sid}`);
  }

  #judgeRows(): void {
    const { heals, nowMs, breaks, mark } = this.#options;
    const bySid = new Map<string, bigint>();
    for (const entry of [...this.#credits.values()].flat()) {
      const sid = String(entry.facts['payment_sid']);
      bySid.set(sid, (bySid.get(sid) ?? 0n) + entry.amount);
    }
    for (const row of this.#payments) {
      const posted = bySid.get(row.sid);
      if ((row.state === 'credited') !== (posted !== undefined) || (row.credited ?? 0n) !== (posted ?? 0n)) {
        breaks('I13 credited means a posting', `payment ${row.sid} is ${row.state}`);
      }
      const ending = `a payment ends ${row.state}`;
      if (isMark(ending)) mark(ending);
      const isLong = nowMs - row.expires_at.getTime() > 2 * HEALED_MS;
      if (heals && isLong && !ENDED.has(row.state)) {
        breaks('I42 every payment comes to its end', `payment ${row.sid} is ${row.state}`);
      }
    }
  }

  /** The jobs that return holds and that ask about payments did so. */
  async #judgeWaiting(): Promise<void> {
    const { rows, heals, nowMs, breaks } = this.#options;
    const holds = await rows<{ sid: string; expires_at: Date }>(
      `select sid, expires_at from hold where state = 'open'`,
    );
    const patienceMs = heals ? HEALED_MS : OVERDUE_MS;
    for (const { sid, expires_at: at } of holds)
      if (nowMs - at.getTime() > patienceMs) breaks('I45 no hold outlives its time', `hold ${sid}`);
    const due = await rows<{ sid: string; next_check_at: Date }>(
      'select sid, next_check_at from payment where next_check_at is not null',
    );
    for (const { sid, next_check_at: at } of due)
      if (heals && nowMs - at.getTime() > HEALED_MS) breaks('I42 no payment is forgotten', `payment ${sid}`);
  }

  /** What was taken is kept; what is not ours is never applied; nothing waits for ever. */
  async #judgeInbox(): Promise<void> {
    const { rows, taken, nowMs, breaks, mark, provider } = this.#options;
    const inbox = await rows<InboxRow>('select event_id, state, reason, next_attempt_at, body from inbox');
    const kept = new Set(inbox.map(({ event_id: id }) => id));
    for (const id of taken) if (!kept.has(id)) breaks('I22 a webhook that was taken is kept', `event ${id}`);
    for (const row of inbox) {
      const told = JSON.parse(row.body.toString('utf8')) as Told;
      const isForeign = told.livemode || (told.account != null && told.account !== provider.accountId);
      if (isForeign && row.state === 'applied') breaks('an event of strangers is not applied', `event ${told.id}`);
      const aside = `a stranger's event is set aside: ${row.reason ?? ''}`;
      if (isForeign && row.state === 'quarantined' && isMark(aside)) mark(aside);
      const dueMs = row.next_attempt_at?.getTime() ?? nowMs;
      const waits = row.state === 'received' || row.state === 'pending';
      if (waits && nowMs - dueMs > OVERDUE_MS) breaks('I43 no webhook waits for ever', `event ${told.id} ${row.state}`);
      if (row.state !== 'quarantined' || row.reason !== 'unknown_order') continue;
      const named = told.data.object.metadata?.['payment_sid'] ?? told.data.object.client_reference_id;
      if (this.#payments.some(({ sid }) => sid === named))
        breaks('an event of ours finds its payment', `event ${told.id}`);
      else mark('an event of no order is set aside');
    }
  }

  /** The movements at the provider, added up on their own, are the top-ups of the ledger. */
  async #judgeEvents(): Promise<void> {
    const { rows, breaks } = this.#options;
    const differing = await rows<{ wallet: bigint }>(
      `select coalesce(e.wallet, p.wallet) as wallet from
         (select account / 16 as wallet, sum(amount) as sum, count(*) as count from entry where kind = ${KIND.topUp} group by 1) as e
         full join (select wallet, sum(amount) as sum, count(*) as count from payment_event group by 1) as p on p.wallet = e.wallet
       where e.sum is distinct from p.sum or e.count is distinct from p.count`,
    );
    for (const { wallet } of differing) breaks('I14 movements are top-ups', `wallet ${wallet}`);
  }

  /** Whether a delivery that says "paid" was taken with 200. */
  #wasTold(sessionId: string, intentId: string): boolean {
    const { provider, taken } = this.#options;
    for (const event of provider.events.values()) {
      if (!taken.has(event.id) || !PAID_NEWS.test(event.type)) continue;
      const told = JSON.parse(event.payload) as Told;
      if (told.account != null || told.livemode) continue;
      const { object } = told.data;
      const isAbout = object.id === sessionId || object.id === intentId || object.payment_intent === intentId;
      if (isAbout && (object.payment_status === undefined || object.payment_status === 'paid')) return true;
    }
    return false;
  }
}
