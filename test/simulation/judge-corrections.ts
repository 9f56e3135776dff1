import { describe, type History, type Intent } from './history.ts';
import type { Line, LineJudge } from './judge-lines.ts';
import { KIND, micros, type Break, type Entry, type LedgerModel } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { partsAt, type PriceModel } from './price-model.ts';

export interface CorrectionJudgeOptions {
  readonly model: LedgerModel;
  readonly history: History;
  readonly rows: <R>(text: string) => Promise<R[]>;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

interface CorrectionRow {
  readonly sid: string;
  readonly kind: string;
  readonly state: string;
  readonly reason: string;
  readonly recorded_until: string;
  readonly lines_changed: bigint;
  readonly moved: bigint;
}

/** Lines of a wallet's statement by their number. */
type Lines = ReadonlyMap<string, Line>;

/** Every correction has somebody who asked for it, touches what was asked for, all of it, and says what it did. */
export class CorrectionJudge {
  readonly #options: CorrectionJudgeOptions;
  #corrections: readonly CorrectionRow[] = [];
  readonly #asked = new Map<string, Intent>();

  constructor(options: CorrectionJudgeOptions) {
    this.#options = options;
    for (const intent of options.history.intents) this.#asked.set(`intent ${intent.number}`, intent);
  }

  async read(): Promise<void> {
    this.#corrections = await this.#options.rows<CorrectionRow>(
      `select sid, kind, state, reason, filter ->> 'recordedUntil' as recorded_until, lines_changed, moved from correction order by sid`,
    );
  }

  /** The step from which on a correction may have read prices. */
  beganAt(sid: unknown): number {
    const row = this.#corrections.find((one) => one.sid === sid);
    return this.#asked.get(row?.reason ?? '')?.attempts[0]?.startStep ?? 0;
  }

  judge({ lines: all }: LineJudge, prices: PriceModel): void {
    const lines: Lines = new Map(all.map((line) => [keyOf(line.walletSid, line.first.seq), line]));
    const made = this.#judgeEntries(lines);
    for (const row of this.#corrections) this.#judgeOne(row, made.get(row.sid) ?? []);
    for (const row of this.#corrections) {
      const intent = this.#asked.get(row.reason);
      if (row.state === 'done' && intent) this.#judgeWhole(row, intent, { all, prices });
    }
    this.#judgeAnswers(lines);
  }

  /** By correction of many lines: its entries. Each was asked for, and fits what was asked. */
  #judgeEntries(lines: Lines): Map<string, Entry[]> {
    const { model, breaks } = this.#options;
    const made = new Map<string, Entry[]>();
    for (const walletSid of model.walletSids) {
      for (const entry of model.entriesOf(walletSid, 0n)) {
        const { why, correction, reason, corrects, voids } = entry.facts;
        if (entry.kind !== KIND.usage || why === undefined || why === 'true_up') continue;
        if (typeof correction === 'string') push(made, correction, entry);
        if (why === 'rerate') continue;
        const line = lines.get(keyOf(walletSid, BigInt(Number(corrects ?? voids))));
        const intent = this.#asked.get(String(reason));
        if (!line || !intent || !isAskedFor(intent, line, entry))
          breaks('a line is corrected as it was asked', `${walletSid} seq ${entry.seq}: ${String(reason)}`);
      }
    }
    return made;
  }

  /** It comes to its end, and has counted what it did. */
  #judgeOne(row: CorrectionRow, made: readonly Entry[]): void {
    const { breaks, mark, history } = this.#options;
    const where = `${row.kind} ${row.sid} of ${row.reason}: ${row.state}`;
    const moved = made.reduce((sum, { amount }) => sum + amount, 0n);
    if (row.moved !== moved || row.lines_changed !== BigInt(made.length))
      breaks(
        'a correction says what it moved',
        `${where}, ${row.moved} in ${row.lines_changed} and ${moved} in ${made.length}`,
      );
    if (row.kind === 'rerate') return;
    const intent = this.#asked.get(row.reason);
    if (
      intent?.operation !== 'correction.create' ||
      intent.input['kind'] !== row.kind ||
      intent.input['dry_run'] === true
    )
      return breaks('nobody corrects unasked', where);
    if (row.state === 'running') breaks('a correction comes to its end', where);
    if (row.state === 'done') mark(row.kind === 'void' ? 'many lines are taken back' : 'many lines are charged anew');
    if (row.state !== 'cancelled') return;
    mark('a correction is cancelled');
    if (!history.intents.some(({ operation, input }) => operation === 'correction.cancel' && input['sid'] === row.sid))
      breaks('only an operator cancels', where);
  }

  /** Of what was in the ledger before it was asked for, nothing is left out. */
  #judgeWhole(row: CorrectionRow, intent: Intent, { all, prices }: { all: readonly Line[]; prices: PriceModel }): void {
    const { breaks } = this.#options;
    const begun = intent.attempts[0]?.startStep ?? 0;
    const untilMs = Date.parse(row.recorded_until);
    for (const line of all) {
      if (line.first.step >= begun || line.first.recorded_at.getTime() >= untilMs || !fits(intent, line)) continue;
      if (line.voided) continue;
      const stood = line.standings.map(({ step, price }) => `${price.sid} from ${step}`).join(', ');
      const where = `${describe(intent)} leaves ${line.root} ${JSON.stringify(line.record)} of ${line.first.step}: ${stood}`;
      if (row.kind === 'void') breaks('a correction leaves nothing out', where);
      else if (line.volume === null && !hasStoodRight(line, prices, begun))
        breaks('a correction leaves nothing out', where);
    }
  }

  /** What operators were told of one line. */
  #judgeAnswers(lines: Lines): void {
    const { history, model, breaks, mark } = this.#options;
    for (const intent of history.intents) {
      const { operation, input, attempts } = intent;
      for (const { status, body, startStep, endStep } of attempts) {
        if (status === null || status >= 300 || body === null) continue;
        const answer = JSON.parse(body) as Record<string, unknown>;
        if (operation === 'usage.void') {
          const line = lines.get(keyOf(String(input['sid']), BigInt(Number(input['seq']))));
          const entry = line?.voided;
          const isSame =
            entry && Number(entry.seq) === answer['entry'] && micros(String(answer['returned'])) === entry.amount;
          if (input['dry_run'] !== true && !isSame)
            breaks('a line is taken back as it was told', `${describe(intent)}: ${body}`);
        }
        if (operation !== 'correction.create' || input['dry_run'] !== true) continue;
        mark('a correction is tried without being made');
        const wallet = input['wallet_sid'];
        const isStill =
          typeof wallet === 'string' && model.lengthsWithin(wallet, startStep, endStep ?? startStep).length === 1;
        if (isStill) this.#judgePreview(intent, answer, { lines, step: startStep });
      }
    }
  }

  /** While nothing moves in its wallet, a preview of taking back says exactly what stands. */
  #judgePreview(intent: Intent, answer: Record<string, unknown>, at: { lines: Lines; step: number }): void {
    const { model, breaks, mark } = this.#options;
    if (intent.input['kind'] !== 'void') return;
    const { lines_changed: changed } = answer['preview'] as { lines_changed: number };
    const untilMs = Number.MAX_SAFE_INTEGER;
    const standing = [...at.lines.values()].filter(
      (line) =>
        fits(intent, line) &&
        line.first.step < at.step &&
        line.first.recorded_at.getTime() < untilMs &&
        (line.voided?.step ?? Number.MAX_SAFE_INTEGER) > at.step,
    );
    const own = new Set(model.entriesOf(String(intent.input['wallet_sid']), 0n).map(({ idem }) => idem));
    const count = standing.filter(({ first }) => own.has(first.idem)).length;
    mark('a preview is held against what stands');
    // A process whose clock is behind does not see what was charged after its now.
    if (changed > count) breaks('a preview shows what stands', `${describe(intent)}: ${changed} of ${count}`);
  }
}

const keyOf = (walletSid: string, seq: bigint): string => `${walletSid} ${seq}`;

function push(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = map.get(key);
  if (list) list.push(entry);
  else map.set(key, [entry]);
}

/** Whether what the operator asked for includes this posting. */
function isAskedFor(intent: Intent, line: Line, { facts }: Entry): boolean {
  const { operation, input } = intent;
  if (operation === 'usage.void')
    return (
      facts['correction'] === undefined &&
      input['sid'] === line.walletSid &&
      BigInt(Number(input['seq'])) === line.first.seq &&
      input['dry_run'] !== true
    );
  if (operation === 'node.reverse') return input['confirm'] === true && line.first.facts['node'] === input['sid'];
  return (
    operation === 'correction.create' &&
    facts['correction'] !== undefined &&
    facts['why'] === input['kind'] &&
    fits(intent, line)
  );
}

const msOf = (text: unknown, otherwise: number): number => (typeof text === 'string' ? Date.parse(text) : otherwise);

/** Whether a line is one of those that were asked for, whenever it was recorded. */
function fits({ input }: Intent, { walletSid, record, first, occurredMs }: Line): boolean {
  const { node_sid: node, wallet_sid: wallet, category, resource_kind: resource } = input;
  const fromMs = msOf(input['occurred_from'], 0);
  const untilMs = msOf(input['occurred_until'], Number.MAX_SAFE_INTEGER);
  return (
    (node === undefined || node === first.facts['node']) &&
    (wallet === undefined || wallet === walletSid) &&
    (category === undefined || category === record.applies_to) &&
    (resource === undefined || resource === record.resource_kind) &&
    occurredMs >= fromMs &&
    occurredMs < untilMs
  );
}

/** Whether the line has come to what a price would make of it that somebody who began then could have found for it. */
function hasStoodRight({ record, occurredMs, standings }: Line, prices: PriceModel, begun: number): boolean {
  const asked = { category: record.applies_to, resource: record.resource_kind, occurredMs };
  const right = prices.rightOnes(asked, begun, Number.MAX_SAFE_INTEGER);
  const last = standings.filter(({ step }) => step < begun).slice(-1);
  const since = [...last, ...standings.filter(({ step }) => step >= begun)];
  return since.some(({ record: stands, cost, multiplier, parts }) =>
    right.some((price) => partsAt(price, stands, cost, multiplier) === parts),
  );
}
