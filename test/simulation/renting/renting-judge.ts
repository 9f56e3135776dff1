import type { History } from '../history.ts';
import type { Break, Entry, LedgerModel } from '../ledger-model.ts';
import type { Mark } from '../marks.ts';
import type { Scheduler } from '../scheduler.ts';
import type { SharedConnection } from '../../../src/store/postgres.ts';
import type { Context } from './context.ts';
import { GivenJudge } from './judge-given.ts';
import { OutageJudge } from './judge-outages.ts';
import { PlanJudge } from './judge-plans.ts';
import { StandingJudge } from './judge-standings.ts';
import { VmJudge } from './judge-vms.ts';
import { Rows, type Table } from './rows.ts';

export interface RentingJudgeOptions {
  readonly shared: Pick<SharedConnection, 'run'>;
  readonly scheduler: Scheduler;
  readonly model: LedgerModel;
  readonly history: () => History;
  readonly breaks: Break;
  readonly mark: (mark: Mark) => void;
}

/** Holds each commit of a life of renting against what must be, and all of it at the end. */
export class RentingJudge {
  readonly rows: Rows;
  readonly #plans: PlanJudge;
  readonly #vms: VmJudge;
  readonly #given: GivenJudge;
  readonly #standings: StandingJudge;
  readonly #outages: OutageJudge;

  constructor({ shared, scheduler, ...options }: RentingJudgeOptions) {
    this.rows = new Rows(shared, scheduler);
    const context: Context = {
      ...options,
      rows: this.rows,
      step: () => scheduler.steps,
      nowMs: () => scheduler.nowMs,
    };
    this.#plans = new PlanJudge(context);
    this.#vms = new VmJudge(context);
    this.#given = new GivenJudge(context);
    this.#standings = new StandingJudge(context);
    this.#outages = new OutageJudge(context);
  }

  /** `fresh`: the entries that the commit has posted. */
  async afterCommit(written: Iterable<Table>, fresh: readonly Entry[]): Promise<void> {
    const changes = await this.rows.look(written);
    this.#plans.afterCommit(changes);
    this.#vms.afterCommit(changes);
    this.#given.afterCommit(changes, fresh);
    this.#standings.afterCommit(changes);
    this.#outages.afterCommit(changes, fresh);
  }

  atTheEnd(): void {
    this.#plans.atTheEnd();
    this.#vms.atTheEnd();
    this.#given.atTheEnd();
    this.#standings.atTheEnd();
    this.#outages.atTheEnd();
  }
}
