const INT8 = 20;
const INT8_ARRAY = 1016;
const TIMESTAMPTZ = 1184;

type Parser = (text: string) => unknown;

/** What a column's text is read as, where the driver would read it otherwise or slower. */
export function parserOf(oid: number, driver: Parser): Parser {
  // Money does not pass through a floating number, not even on its way.
  if (oid === INT8) return BigInt;
  if (oid === INT8_ARRAY) {
    return (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(int8OrNull));
  }
  return oid === TIMESTAMPTZ ? instantParser(driver) : driver;
}

const int8OrNull = (text: string): bigint | null => (text === 'NULL' ? null : BigInt(text));

/**
 * An instant as our sessions, which are in UTC, are told it: `2026-11-28 20:18:19.123456+00`. Microseconds are cut off.
 *
 * Every other form (infinity, years before Christ or of five digits) goes to the driver's own parser, which takes four times as long.
 */
const instantParser =
  (driver: Parser): Parser =>
  (text) => {
    const zone = text.length - 3;
    const isPlain =
      zone >= SECONDS_END &&
      zone <= SECONDS_END + 7 &&
      text.charCodeAt(4) === HYPHEN &&
      text.charCodeAt(10) === BLANK &&
      text.endsWith('+00');
    // Date.UTC takes the years 0 to 99 for those of the last century.
    if (!isPlain || text.startsWith('00')) return driver(text);
    const ms = Date.UTC(
      numberAt(text, 0, 4),
      numberAt(text, 5, 7) - 1,
      numberAt(text, 8, 10),
      numberAt(text, 11, 13),
      numberAt(text, 14, 16),
      numberAt(text, 17, 19),
    );
    let part = 0;
    for (let at = SECONDS_END + 1, worth = 100; at < zone && worth >= 1; at += 1, worth /= 10)
      part += worth * (text.charCodeAt(at) - ZERO);
    return new Date(ms + part);
  };

/** Behind `2026-11-28 20:18:19`. */
const SECONDS_END = 19;
const HYPHEN = 45;
const BLANK = 32;
const ZERO = 48;

function numberAt(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) number = number * 10 + text.charCodeAt(at) - ZERO;
  return number;
}
