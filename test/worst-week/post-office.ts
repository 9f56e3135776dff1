import type { Dice } from './dice.ts';
import type { Letter } from './till.ts';

const DAY_MS = 86_400_000;

interface Due {
  readonly at: number;
  readonly letter: Letter;
}

/** Carries webhooks badly: some never arrive, some more than once, some days late and so out of order. */
export class PostOffice {
  readonly counts = { posted: 0, lost: 0, duplicated: 0, late: 0 };
  readonly #dice: Dice;
  readonly #now: () => Date;
  #due: Due[] = [];

  constructor(dice: Dice, now: () => Date) {
    this.#dice = dice;
    this.#now = now;
  }

  post(letter: Letter): void {
    const dice = this.#dice;
    this.counts.posted += 1;
    if (dice.is(0.3)) {
      this.counts.lost += 1;
      return;
    }
    const isLate = dice.is(0.1);
    if (isLate) this.counts.late += 1;
    this.#add(letter, isLate ? dice.between(DAY_MS, 3 * DAY_MS) : dice.between(500, 120_000));
    if (!dice.is(0.3)) return;
    this.counts.duplicated += 1;
    for (let copy = dice.between(1, 3); copy > 0; copy -= 1) this.#add(letter, dice.between(500, DAY_MS));
  }

  /** What arrives now, in the order of its time. */
  arriving(): Letter[] {
    const now = this.#now().getTime();
    const due = this.#due.filter(({ at }) => at <= now).toSorted((one, other) => one.at - other.at);
    this.#due = this.#due.filter(({ at }) => at > now);
    return due.map(({ letter }) => letter);
  }

  /** Handed back: nobody was there to take it. It comes again. */
  again(letter: Letter): void {
    this.#add(letter, this.#dice.between(60_000, 6 * 3_600_000));
  }

  #add(letter: Letter, afterMs: number): void {
    this.#due.push({ at: this.#now().getTime() + afterMs, letter });
  }
}
