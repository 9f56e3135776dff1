import { describe, type History, type Intent } from './history.ts';
import type { LineJudge } from './judge-lines.ts';
import type { UnbilledJudge } from './judge-unbilled.ts';
import type { Break } from './ledger-model.ts';
import type { Mark } from './marks.ts';
import { nameOf, recordsOf, type SentUsage } from './sent-usage.ts';

export interface NumberJudgeOptions {
  readonly history: History;
  readonly sent: SentUsage;
  readonly lines: LineJudge;
  readonly unbilled: UnbilledJudge;
  readonly rows: <R>(text: string) => Promise<R[]>;
  /** What operators were told of, with the step. */
  readonly told: readonly { readonly category: string; readonly step: number }[];
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

/** A stream as somebody was shown it. */
interface Shown {
  readonly category: string;
  readonly last: number;
  readonly missing: number;
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
  readonly reused: number;
  readonly given_up: number;
}

interface Numbered {
  readonly name: string;
  /** From here on it may have come … */
  readonly fromStep: number;
  /** … and from here on it must have: its sender knows that it was kept. */
  readonly surelyFromStep: number;
  /** How often it was sent: sent again while the first call still runs, it may count as another record of its number. */
  readonly tries: number;
}

interface Stream {
  /** By number: records that were kept; more than one where a node has counted twice. */
  readonly kept: Map<number, Numbered[]>;
  /** Numbers that nobody waits for any more, each up to which and when. */
  readonly givenUp: { readonly upTo: number; readonly from: number; readonly surelyFrom: number }[];
}

const EVER = Number.MAX_SAFE_INTEGER;

/** What is said to be missing has not come, what is not said to be missing has come, and a gap costs nobody anything. */
export class NumberJudge {
  readonly #options: NumberJudgeOptions;
  readonly #streams = new Map<string, Stream>();

  constructor(options: NumberJudgeOptions) {
    this.#options = options;
    for (const intent of options.history.intents) this.#read(intent);
  }

  async judge(): Promise<void> {
    const { history, rows } = this.#options;
    for (const intent of history.intents) this.#judgeAnswers(intent);
    const kept = await rows<{ node_sid: string; category: string; seen: string; reused: bigint; given_up: bigint }>(
      `select node.sid as node_sid, category, seen::text as seen, reused, given_up
       from usage_sequence join node on node.id = usage_sequence.node order by 1, 2`,
    );
    for (const { node_sid: node, category, seen, reused, given_up: givenUp } of kept) {
      const shown = { category, ...gapsOf(seen), reused: Number(reused), given_up: Number(givenUp) };
      this.#judgeShown(node, shown, { from: EVER, until: EVER, where: 'in the end' });
    }
    this.#judgeTold();
  }

  #streamOf(node: unknown, category: string): Stream {
    const key = nameOf(node, category);
    const known = this.#streams.get(key);
    if (known) return known;
    const fresh: Stream = { kept: new Map(), givenUp: [] };
    this.#streams.set(key, fresh);
    return fresh;
  }

  #read(intent: Intent): void {
    const { operation, input, attempts, nodeSid } = intent;
    if (operation === 'node.give-up-gaps') {
      const done = attempts.find(({ status }) => status === 200);
      const { givenUp } = this.#streamOf(input['sid'], String(input['category']));
      const from = attempts[0]?.startStep ?? 0;
      givenUp.push({ upTo: Number(input['up_to']), from, surelyFrom: done?.endStep ?? EVER });
      return;
    }
    for (const [index, record] of recordsOf(intent).entries()) {
      if (record.seq === undefined || operation === 'usage.queue') continue;
      const name = nameOf(nodeSid, record.idempotency_key);
      if (!this.#isKept(name)) continue;
      const answered = attempts.find(({ status, body }) => status === 200 && isKeptIn(body, index));
      const numbered = {
        name,
        fromStep: this.#options.sent.beganAt(name),
        surelyFromStep: answered?.endStep ?? EVER,
        tries: attempts.length,
      };
      const { kept } = this.#streamOf(nodeSid, record.applies_to);
      kept.set(record.seq, [...(kept.get(record.seq) ?? []), numbered]);
    }
  }

  #isKept(name: string): boolean {
    const { lines, unbilled } = this.#options;
    return lines.charged.has(name) || unbilled.has(name);
  }

  #judgeAnswers({ operation, attempts, nodeSid, input, ...intent }: Intent): void {
    for (const { status, body, startStep: from, endStep } of attempts) {
      if (status !== 200 || body === null) continue;
      const answer = JSON.parse(body) as { streams?: Shown[]; items?: Shown[] };
      const at = { from, until: endStep ?? from, where: describe({ operation, attempts, input, ...intent }) };
      for (const shown of answer.streams ?? []) this.#judgeShown(nodeSid, shown, at);
      if (operation === 'node.gaps') for (const shown of answer.items ?? []) this.#judgeShown(input['sid'], shown, at);
    }
  }

  #judgeShown(node: unknown, shown: Shown, at: { from: number; until: number; where: string }): void {
    const { breaks, mark } = this.#options;
    const { kept, givenUp } = this.#streamOf(node, shown.category);
    const where = `${String(node)} ${shown.category} ${at.where.slice(0, 200)}`;
    if (shown.missing > 0) mark('numbers are missing');
    const isMissing = (number: number): boolean => shown.gaps.some(({ from, to }) => number >= from && number <= to);
    for (const [number, all] of kept) {
      const hasCome = all.some(({ surelyFromStep }) => surelyFromStep < at.from);
      if (hasCome && (number > shown.last || isMissing(number)))
        breaks('what has come is not missing', `${where}: ${number}`);
    }
    const told = shown.gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    if (told > shown.missing) breaks('gaps are what is missing', `${where}: ${told} of ${shown.missing}`);
    // Only the lowest gaps are told one by one.
    if (told === shown.missing) this.#judgePresent(shown, { kept, givenUp, isMissing, until: at.until, where });
    const twice = [...kept.values()].reduce((sum, all) => sum + all.reduce((tries, one) => tries + one.tries, -1), 0);
    const late = givenUp.length === 0 ? 0 : shown.given_up;
    if (shown.reused > twice + late)
      breaks('a number is reused when it is sent again', `${where}: ${shown.reused} of ${twice}`);
    if (shown.reused > 0) mark('a number is reused');
    if (shown.given_up > 0) mark('numbers are given up');
  }

  #judgePresent(
    shown: Shown,
    known: Stream & { readonly isMissing: (number: number) => boolean; readonly until: number; readonly where: string },
  ): void {
    const { breaks, mark } = this.#options;
    const { kept, givenUp, isMissing, until, where } = known;
    for (let number = 1; number <= shown.last; number += 1) {
      if (isMissing(number)) continue;
      const hasCome = kept.get(number)?.some(({ fromStep }) => fromStep <= until) === true;
      const isGivenUp = givenUp.some(({ upTo, from }) => number <= upTo && from <= until);
      if (!hasCome && !isGivenUp) breaks('what is not missing has come', `${where}: ${number}`);
    }
    if (shown.missing === 0 && [...kept.keys()].length > 1) mark('no number is missing');
  }

  #judgeTold(): void {
    const { told, history, breaks, mark } = this.#options;
    for (const { category, step } of told) {
      mark('operators are told of gaps');
      const isAsked = history.intents.some(
        ({ operation, input, attempts }) =>
          operation === 'gap-policy.set' &&
          input['category'] === category &&
          input['policy'] === 'report' &&
          (attempts[0]?.startStep ?? EVER) <= step,
      );
      if (!isAsked) breaks('gaps are told of where that was asked for', category);
    }
  }
}

function isKeptIn(body: string | null, index: number): boolean {
  const { items } = JSON.parse(body ?? '{"items":[]}') as { items: { outcome: string }[] };
  const outcome = items[index]?.outcome;
  return outcome === 'applied' || outcome === 'unbilled';
}

/** PostgreSQL's text of a multirange, "{[1,5),[7,9)}": what lies between its ranges, from 1 on. */
function gapsOf(seen: string): Pick<Shown, 'last' | 'missing' | 'gaps'> {
  const ranges = [...seen.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from, to]) => [Number(from), Number(to)] as const);
  const gaps: { from: number; to: number }[] = [];
  let next = 1;
  for (const [from, to] of ranges) {
    if (from > next) gaps.push({ from: next, to: from - 1 });
    next = to;
  }
  return { last: next - 1, gaps, missing: gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0) };
}
