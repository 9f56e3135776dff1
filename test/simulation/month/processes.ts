import type { House } from '../../../src/operations/house.ts';
import { idsFrom } from '../../../src/ports/ids.ts';
import type { Clock, Ports } from '../../../src/ports/ports.ts';
import { systemClock } from '../../../src/ports/system.ts';
import { openDatabase } from '../../../src/store/postgres.ts';
import { faultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { testHouse } from '../../support/house.ts';
import type { PaperBank } from '../../support/paper-bank.ts';
import { RecordedLog, ScriptedCrash, seededRandom, testPorts } from '../../support/ports.ts';
import type { Chance } from '../random.ts';

/** What an hour is like for the processes of the house. */
export type Hour = 'fine' | 'crash' | 'lost_commit' | 'lost_answer' | 'away';

interface Process {
  readonly house: House;
  readonly crash: ScriptedCrash;
  readonly log: RecordedLog;
  close(): Promise<void>;
}

const PROCESSES = 2;
/** Crash points are passed before a process dies: anywhere in the first reports of its hour. */
const CRASH_WITHIN_POINTS = 150;

/** The processes of the house: they die and are started again, and the wire to their database breaks. */
export class Processes {
  readonly logs: RecordedLog[] = [];
  readonly counts: Record<Hour, number> = { fine: 0, crash: 0, lost_commit: 0, lost_answer: 0, away: 0 };
  readonly #url: string;
  readonly #bank: PaperBank;
  readonly #chance: Chance;
  readonly #now: () => number;
  #proxy: FaultProxy | null = null;
  #steady: Process[] = [];
  /** Over the wire that breaks: it costs more, so only the hours that need it go over it. */
  #overWire: Process[] = [];
  #hour: Hour = 'fine';
  #started = 0;

  constructor(options: {
    readonly url: string;
    readonly bank: PaperBank;
    readonly chance: Chance;
    readonly now: () => number;
  }) {
    this.#url = options.url;
    this.#bank = options.bank;
    this.#chance = options.chance;
    this.#now = options.now;
    this.#steady = Array.from({ length: PROCESSES }, () => this.#start(this.#url));
  }

  /** One of those that serve this hour. */
  house(number: number): House {
    const serving = this.#hour === 'fine' || this.#hour === 'crash' ? this.#steady : this.#overWire;
    const process = serving[number % serving.length];
    if (!process) throw new Error('no process serves');
    return process.house;
  }

  async begin(hour: Hour): Promise<void> {
    this.#hour = hour;
    this.counts[hour] += 1;
    if (hour === 'fine') return;
    if (hour === 'crash') {
      this.#steady[0]?.crash.dieAfter(this.#chance.below(CRASH_WITHIN_POINTS));
      return;
    }
    this.#proxy ??= await faultProxy(this.#url);
    const { url } = this.#proxy;
    if (this.#overWire.length === 0) this.#overWire = Array.from({ length: PROCESSES }, () => this.#start(url));
    this.#proxy.set(hour === 'away' ? 'reset' : hour === 'lost_commit' ? 'lose_commit' : 'lose_answer_of_commit');
  }

  /** The weather of the hour is over; who died is started again. */
  async end(): Promise<void> {
    if (this.#hour === 'crash') await this.#replaceFirst();
    this.#proxy?.set('none');
    this.#hour = 'fine';
  }

  async close(): Promise<void> {
    for (const process of [...this.#steady, ...this.#overWire]) await process.close();
    await this.#proxy?.close();
  }

  async #replaceFirst(): Promise<void> {
    const dead = this.#steady.shift();
    await dead?.close();
    this.#steady.unshift(this.#start(this.#url));
  }

  #start(url: string): Process {
    const number = (this.#started += 1);
    const log = new RecordedLog();
    this.logs.push(log);
    const crash = new ScriptedCrash();
    const clock = this.#clockOf(number);
    const random = seededRandom(number);
    const ports: Ports = { ...testPorts(), clock, random, ids: idsFrom(clock, random), crash, log };
    // Retries wait by the real clock: virtual time stands still while something is under way.
    const db = openDatabase({ url, ports: { ...ports, clock: systemClock } });
    const house = testHouse({ db, ports, providers: [this.#bank.asProvider(ports)], jobs: NOBODY_WORKS });
    return {
      house,
      crash,
      log,
      close: async () => {
        await house.lanes.close();
        await db.close();
      },
    };
  }

  /** A second apart in each process, and a millisecond on with each look, so that no two things happen at one instant. */
  #clockOf(number: number): Clock {
    let looks = 0;
    const nowMs = (): number => this.#now() + (number % 7) * 1_000 + ((looks += 1) % 500);
    return { ...systemClock, now: () => new Date(nowMs()) };
  }
}

/** The ticks find what the queue would have brought. */
const NOBODY_WORKS = { enqueue: () => Promise.resolve() };
