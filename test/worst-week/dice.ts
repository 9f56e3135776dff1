import type { Random } from '../../src/ports/ports.ts';

/** Chance of the story alone, apart from the ids and nonces of those who take part. */
export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** 0 to 1, without 1. */
  share(): number {
    const [a = 0, b = 0, c = 0] = this.#random.bytes(3);
    return (a * 65_536 + b * 256 + c) / 16_777_216;
  }

  is(probability: number): boolean {
    return this.share() < probability;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.share() * (most - least + 1));
  }

  one<T>(of: readonly T[]): T {
    const chosen = of[this.between(0, of.length - 1)];
    if (chosen === undefined) throw new Error('one of nothing');
    return chosen;
  }
}
