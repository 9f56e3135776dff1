import { describe, isFinalAnswer, type Attempt, type History, type Intent } from './history.ts';
import { floorCents, KIND, micros, MICROS_PER_CENT, type Break, type LedgerModel } from './ledger-model.ts';
import type { Mark } from './marks.ts';

export interface AnswerJudgeOptions {
  readonly model: LedgerModel;
  readonly history: History;
  /** Whose each wallet and user is: the user's sid by the sid of either. */
  readonly owners: ReadonlyMap<string, string>;
  /** Texts of postings that are stored as declined. */
  readonly declined: ReadonlySet<string>;
  /** How many audit rows carry each intent's text. */
  readonly audited: ReadonlyMap<string, number>;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

const SID = /\b[0-9A-HJKMNP-TV-Z]{26}\b/g;
const MOVES: Readonly<Record<string, number>> = { 'billing.debit': KIND.debit, 'hold.reserve': KIND.reserve };
const ADJUSTS = new Set(['billing.adjust', 'billing.set-credit-balance']);
/** How far along a payment is. It never goes back; of two states of one rank only one is ever seen. */
const PAYMENT_RANK: Readonly<Record<string, number>> = {
  created: 0,
  open: 1,
  processing: 2,
  failed: 3,
  expired: 3,
  quarantined: 4,
  credited: 5,
};
const HOLD_RANK: Readonly<Record<string, number>> = { open: 0, captured: 1, released: 1, expired: 1, captured_late: 2 };

interface Seen {
  readonly from: number;
  readonly until: number;
  readonly state: string;
}

/** Holds every answer that a caller saw against the ledger's rows: it must be explained by some order of the calls under way. */
export class AnswerJudge {
  readonly #options: AnswerJudgeOptions;
  readonly #states = new Map<string, Seen[]>();

  constructor(options: AnswerJudgeOptions) {
    this.#options = options;
  }

  judge(): void {
    const { history } = this.#options;
    for (const intent of history.intents) this.#judgeIntent(intent);
    for (const [what, seen] of this.#states) this.#judgeStates(what, seen);
    this.#judgeFreezes();
  }

  #judgeIntent(intent: Intent): void {
    const { mark, breaks } = this.#options;
    const finals = intent.attempts.filter(isFinalAnswer);
    for (const attempt of intent.attempts) this.#judgeForm(intent, attempt);
    if (intent.asker === 'foreign' || intent.asker === 'anonymous') return this.#judgeStranger(intent);
    const [first] = finals;
    if (intent.key !== null && finals.some(({ body, status }) => body !== first?.body || status !== first?.status)) {
      breaks('I29 the same key has the same answer', describe(intent));
    }
    if (finals.length > 1 && finals.some(({ isReplay }) => isReplay)) mark('a repetition gets the first answer');
    if (intent.attempts.length > 1 && first) mark('an unanswered call is repeated and answered');
    const kind = MOVES[intent.operation];
    if (kind !== undefined) this.#judgeMove(intent, kind);
    else if (ADJUSTS.has(intent.operation)) this.#judgeAdjust(intent);
    else if (intent.operation === 'billing.get') this.#judgeRead(intent);
    else if (intent.operation === 'billing.statement') this.#judgeStatement(intent);
    else if (intent.operation.startsWith('hold.')) this.#judgeHoldAnswers(intent);
    else if (intent.operation.startsWith('payment.')) this.#judgePaymentAnswers(intent);
    // Judged by what they did to usage.
    else if (
      /^(usage|correction|lease|node|price|model-price|gap-policy|session|identity|user|key|operator|plan|subscription|allocation|machine|grant|standing|outage)\./.test(
        intent.operation,
      )
    )
      return;
    else this.#judgeList(intent);
  }

  /** Errors have one shape, none is ours by mistake, and nobody is shown what is another one's. */
  #judgeForm(intent: Intent, { status, body }: Attempt): void {
    const { breaks, owners } = this.#options;
    if (status === null || body === null) return;
    if (status === 500) breaks('I40 no undeclared failure', `${describe(intent)}: ${body}`);
    if (status >= 400) {
      const problem = JSON.parse(body) as Record<string, unknown>;
      const isWhole = problem['status'] === status && typeof problem['code'] === 'string' && 'request_id' in problem;
      if (!isWhole) breaks('I40 errors have one shape', `${describe(intent)}: ${body}`);
      return;
    }
    if (intent.userSid === null) return;
    for (const [sid] of body.matchAll(SID)) {
      if ((owners.get(sid) ?? intent.userSid) === intent.userSid) continue;
      return breaks('I38 nobody sees what is another one’s', `${describe(intent)} shows ${sid}`);
    }
  }

  /** Calls without a credential, or for what belongs to somebody else: refused, and nothing comes of them. */
  #judgeStranger(intent: Intent): void {
    const { breaks, model, mark } = this.#options;
    for (const { status } of intent.attempts) {
      // 409: the stranger's own first call still runs somewhere; it has not been answered yet, and is not served by this.
      if (status === null || status === 409) continue;
      mark(intent.asker === 'anonymous' ? 'nobody is refused' : 'a stranger is refused');
      const isRefused = intent.asker === 'anonymous' ? status === 401 : status === 403 || status === 404;
      if (!isRefused && status < 500) breaks('I39 strangers are refused', describe(intent));
    }
    if (model.allOf(intent).length > 0) breaks('I39 strangers write nothing', describe(intent));
  }

  /** A call that takes an amount out of the wallet: applied once, or not at all, as it was told. */
  #judgeMove(intent: Intent, kind: number): void {
    const { model, breaks, mark, declined } = this.#options;
    const made = model.madeBy(intent, kind);
    const final = intent.attempts.find(isFinalAnswer);
    if (made.length > 1) return breaks('I11 an intent moves money once', describe(intent));
    const [entry] = made;
    if (entry && entry.amount !== -micros(String(intent.input['amount']))) {
      breaks('I12 the amount that was asked', describe(intent));
    }
    if (!final) return mark(entry ? 'an unanswered call had happened' : 'an unanswered call had not happened');
    const isDone = final.status === 200 || final.status === 201;
    if (isDone && !entry) breaks('I22 an acknowledged call is in the ledger', describe(intent));
    if (!isDone && entry) breaks('I21 a refused call is not in the ledger', describe(intent));
    if (intent.attempts.some(({ status }) => status === 503) && isDone) mark('what was unknown turns out done');
    const isDeclined = final.status === 402 || final.body?.includes('"wallet_frozen"') === true;
    if (isDeclined && !declined.has(`intent ${intent.number}`))
      breaks('I21 a refusal is remembered for ever', describe(intent));
    if (final.status === 402) this.#judgeRefusal(intent);
    if (final.body?.includes('"wallet_frozen"') === true) mark('a frozen wallet refuses');
    if (isDone && intent.operation === 'billing.debit' && final.body !== null) {
      const { credit_balance: shown } = JSON.parse(final.body) as { credit_balance: string };
      if (entry && micros(shown) !== entry.balance_after)
        breaks('I22 the answer says what was posted', describe(intent));
    }
  }

  /** "Not enough" must have been true at some moment while the call was under way. */
  #judgeRefusal(intent: Intent): void {
    const { model, breaks, mark } = this.#options;
    mark('a debit is refused');
    const amount = micros(String(intent.input['amount']));
    const from = intent.attempts[0]?.startStep ?? 0;
    const until = intent.attempts.find(isFinalAnswer)?.endStep ?? Number.MAX_SAFE_INTEGER;
    if (!model.availableWithin(intent.walletSid, from, until).some((available) => available < amount)) {
      breaks('I18 refused only for want of money', describe(intent));
    }
  }

  #judgeAdjust(intent: Intent): void {
    const { model, breaks, audited } = this.#options;
    const made = model.madeBy(intent, KIND.adjustment);
    const target = BigInt(Number(intent.input['balance_cents'])) * MICROS_PER_CENT;
    if (made.length > 1) return breaks('I11 an intent moves money once', describe(intent));
    const [entry] = made;
    if (entry && entry.balance_after !== target) breaks('an adjustment ends at its balance', describe(intent));
    const final = intent.attempts.find(isFinalAnswer);
    const rows = audited.get(`intent ${intent.number}`) ?? 0;
    if (rows > 1 || ((entry || final?.status === 200) && rows !== 1)) {
      breaks('I35 every adjustment is audited once', `${describe(intent)}: ${rows} rows`);
    }
    if (final && final.status !== 200 && entry) breaks('I21 a refused call is not in the ledger', describe(intent));
    if (final?.status !== 200 || final.body === null) return;
    const answer = JSON.parse(final.body) as { prev_balance?: number; new_balance?: number };
    if (answer.prev_balance === undefined) return;
    const before = entry ? entry.balance_after - entry.amount : target;
    if (BigInt(answer.prev_balance) !== floorCents(before)) breaks('prev_balance is what was there', describe(intent));
    if (!entry && answer.prev_balance !== answer.new_balance)
      breaks('I22 an acknowledged call is in the ledger', describe(intent));
  }

  #judgeRead(intent: Intent): void {
    const { model, breaks } = this.#options;
    for (const { status, body, startStep, endStep } of intent.attempts) {
      if (status !== 200 || body === null) continue;
      const shown = JSON.parse(body) as Record<string, unknown>;
      const until = endStep ?? startStep;
      const balance = micros(String(shown['credit_balance']));
      if (!model.balancesWithin(intent.walletSid, 0n, startStep, until).includes(balance))
        breaks('a read shows a balance that was', describe(intent));
      if (BigInt(Number(shown['credit_balance_cents'])) !== floorCents(balance))
        breaks('cents are never rounded up', `${describe(intent)}: ${body}`);
      if (!model.balancesWithin(intent.walletSid, 1n, startStep, until).includes(micros(String(shown['reserved']))))
        breaks('a read shows what was reserved', describe(intent));
      const paid = BigInt(Number(shown['lifetime_paid_cents'])) * MICROS_PER_CENT;
      if (!model.paidWithin(intent.walletSid, startStep, until).includes(paid))
        breaks('I14 lifetime paid is the sum of the top-ups', describe(intent));
    }
  }

  /** Lines as they are in the ledger, without a gap, and from the newest on: nothing is left out at either end of a page. */
  #judgeStatement(intent: Intent): void {
    const { model, breaks, mark } = this.#options;
    const entries = model.entriesOf(intent.walletSid, 0n);
    const { afterSeq } = intent;
    for (const { status, body, startStep, endStep } of intent.attempts) {
      if (status !== 200 || body === null) continue;
      const { items } = JSON.parse(body) as { items: { seq: number; amount: string; balance_after: string }[] };
      const tops =
        afterSeq !== undefined
          ? [BigInt(afterSeq - 1)]
          : model.lengthsWithin(intent.walletSid, startStep, endStep ?? startStep);
      if (afterSeq !== undefined) mark('a second page is read');
      const top = BigInt(items[0]?.seq ?? 0);
      if (!tops.includes(top)) breaks('a statement begins with the newest', describe(intent));
      if (BigInt(items.length) !== min(top, BigInt(Number(intent.input['limit']))))
        breaks('a page is full', describe(intent));
      for (const [index, line] of items.entries()) {
        const entry = entries[line.seq - 1];
        const isSame = entry?.amount === micros(line.amount) && entry.balance_after === micros(line.balance_after);
        if (!isSame || line.seq !== Number(top) - index) breaks('a statement shows the entries', describe(intent));
      }
    }
  }

  #judgeHoldAnswers(intent: Intent): void {
    const isCapture = intent.operation === 'hold.capture';
    if (isCapture && intent.attempts.some(({ status }) => status === 422))
      this.#options.mark('a capture above the hold is refused');
    for (const item of this.#itemsOf(intent)) this.#see('hold', item, HOLD_RANK);
  }

  #judgePaymentAnswers(intent: Intent): void {
    const { breaks } = this.#options;
    for (const item of this.#itemsOf(intent)) {
      this.#see('payment', item, PAYMENT_RANK);
      const { state, credited, problem } = item.fields;
      if ((state === 'credited') !== (typeof credited === 'string')) {
        breaks('I13 a payment says what was credited', `${describe(intent)}: ${String(state)} ${String(credited)}`);
      }
      if (state === 'quarantined' && typeof problem !== 'string')
        breaks('a payment that is set aside says why', describe(intent));
    }
  }

  /** Newest first, each once, and what was asked for only. */
  #judgeList(intent: Intent): void {
    this.#itemsOf(intent);
  }

  #itemsOf(intent: Intent): Item[] {
    const { breaks } = this.#options;
    const found: Item[] = [];
    for (const attempt of intent.attempts) {
      const { status, body, startStep: from, endStep, isReplay } = attempt;
      if ((status !== 200 && status !== 201) || body === null || isReplay) continue;
      const answer = JSON.parse(body) as Record<string, unknown> & { items?: Record<string, unknown>[] };
      const until = endStep ?? from;
      if (!answer.items) {
        found.push({ fields: answer, from, until });
        continue;
      }
      const { items } = answer;
      if (items.length > Number(intent.input['limit'])) breaks('a page keeps to its limit', describe(intent));
      const sids = items.map(({ sid }) => String(sid));
      if (sids.some((sid, index) => index > 0 && sid >= String(sids[index - 1])))
        breaks('a list is newest first', describe(intent));
      const { state, wallet_sid: wallet } = intent.input;
      for (const item of items) {
        const isAsked =
          (state === undefined || item['state'] === state) &&
          (wallet === undefined || item['wallet_sid'] === undefined || item['wallet_sid'] === wallet);
        if (!isAsked) breaks('a list shows what was asked for', describe(intent));
        found.push({ fields: item, from, until });
      }
    }
    return found;
  }

  #see(what: string, { fields, from, until }: Item, ranks: Readonly<Record<string, number>>): void {
    const { state, sid } = fields;
    if (typeof state !== 'string' || ranks[state] === undefined) return;
    const name = `${what} ${String(sid)}`;
    const seen = this.#states.get(name);
    if (seen) seen.push({ from, until, state });
    else this.#states.set(name, [{ from, until, state }]);
  }

  /** Who is told something after another was answered is not told of an earlier state. */
  #judgeStates(what: string, seen: readonly Seen[]): void {
    const { breaks, mark } = this.#options;
    const ranks = what.startsWith('hold') ? HOLD_RANK : PAYMENT_RANK;
    const rank = (state: string) => ranks[state] ?? 0;
    const byEnd = seen.toSorted((a, b) => a.until - b.until);
    const byStart = seen.toSorted((a, b) => a.from - b.from);
    let highest: Seen | undefined;
    let next = 0;
    for (const one of byStart) {
      for (let ended = byEnd[next]; ended && ended.until < one.from; ended = byEnd[next]) {
        if (!highest || rank(ended.state) > rank(highest.state)) highest = ended;
        next += 1;
      }
      if (!highest) continue;
      if (rank(one.state) > rank(highest.state)) mark('a later answer is further on');
      const isBack =
        rank(one.state) < rank(highest.state) ||
        (rank(one.state) === rank(highest.state) && one.state !== highest.state);
      if (isBack) breaks('I13 states never go back', `${what}: ${highest.state}, and later ${one.state}`);
    }
  }

  /** Between a freeze that was acknowledged and the first call that thaws, nothing is taken. */
  #judgeFreezes(): void {
    const { history, model, breaks, mark } = this.#options;
    const freezes = history.intents.filter(({ operation }) => operation === 'billing.freeze');
    for (const freeze of freezes) {
      const done = freeze.attempts.find(({ status }) => status === 200);
      if (freeze.input['is_frozen'] !== true || !done) continue;
      const from = done.endStep ?? Number.MAX_SAFE_INTEGER;
      const begun = freeze.attempts[0]?.startStep ?? 0;
      const thaws = freezes.filter(
        ({ walletSid, input }) => walletSid === freeze.walletSid && input['is_frozen'] === false,
      );
      // A thaw that was under way when the freeze was asked for may have come after it.
      const overlaps = thaws.some(({ attempts }) =>
        attempts.some(({ startStep, endStep }) => startStep < from && (endStep ?? Number.MAX_SAFE_INTEGER) > begun),
      );
      if (overlaps) continue;
      const starts = thaws.flatMap(({ attempts }) => attempts.map(({ startStep }) => startStep));
      const until = Math.min(Number.MAX_SAFE_INTEGER, ...starts.filter((step) => step >= from));
      mark('a wallet is frozen for a while');
      for (const entry of model.entriesOf(freeze.walletSid, 0n)) {
        const isReserved = entry.kind === KIND.reserve && !model.isRestOfLease(entry);
        const isTaken = entry.kind === KIND.debit || isReserved || entry.facts['bills'] !== undefined;
        if (isTaken && entry.step > from && entry.step < until)
          breaks('a frozen wallet gives nothing', `${describe(freeze)}: ${String(entry.facts['description'])}`);
      }
    }
  }
}

interface Item {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly from: number;
  readonly until: number;
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
