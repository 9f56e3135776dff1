/** An exact number: of two integers, in lowest terms. Shares nothing with the product's scaled integers, which it is held against. */
export class Fraction {
  readonly numerator: bigint;
  /** Positive. */
  readonly denominator: bigint;

  constructor(numerator: bigint, denominator = 1n) {
    if (denominator <= 0n) throw new RangeError('a denominator is positive');
    const common = greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator);
    this.numerator = numerator / common;
    this.denominator = denominator / common;
  }

  /** Of decimal text: "0.1" is one tenth. */
  static of(text: string): Fraction {
    const [whole = '0', decimals = ''] = text.split('.');
    return new Fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
  }

  plus(other: Fraction): Fraction {
    return new Fraction(
      this.numerator * other.denominator + other.numerator * this.denominator,
      this.denominator * other.denominator,
    );
  }

  times(other: Fraction): Fraction {
    return new Fraction(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  isLessThan(other: Fraction): boolean {
    return this.numerator * other.denominator < other.numerator * this.denominator;
  }

  /** The greatest whole number that is not above it. For numbers from zero up. */
  get floor(): bigint {
    return this.numerator / this.denominator;
  }
}

export const ZERO = new Fraction(0n);

function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  let [a, b] = [one, other];
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
