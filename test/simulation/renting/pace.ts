import type { Chance } from '../random.ts';
import type { Life, Scheduler } from '../scheduler.ts';
import type { World } from '../world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** So many deeds come close together; then nothing is done for hours or days, and periods end meanwhile. */
const DEEDS_TOGETHER = 8;
/** How much more rarely than in production ticks come: every few minutes while people act, one or two a day while they do not. */
const TICKS_TOGETHER = 8;
export const TICKS_APART = 2_000;

/** Weeks in a life: people come together, and time leaps. */
export class RentingPace {
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #life: Life;

  constructor(world: World, scheduler: Scheduler, life: Life) {
    this.#world = world;
    this.#scheduler = scheduler;
    this.#life = life;
  }

  /** Before the deed of this number. */
  async pause(number: number, chance: Chance): Promise<void> {
    if (number % DEEDS_TOGETHER > 0)
      return await this.#scheduler.park(this.#life, chance.below(2 * MINUTE_MS), 'people');
    this.#world.paceTicks(TICKS_APART);
    const hours = chance.weighted([
      [chance.between(1, 20), 3],
      [chance.between(20, 72), 5],
      [chance.between(72, 240), 1],
    ]);
    await this.#scheduler.park(this.#life, hours * HOUR_MS, 'people are away');
    this.#world.paceTicks(TICKS_TOGETHER);
  }
}
