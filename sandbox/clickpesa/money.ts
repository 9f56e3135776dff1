/** Amounts are whole hundredths of a currency: exact, and enough for dollars and shillings. */
export function hundredthsOf(text: string): number | null {
  const [, whole, fraction = ''] = /^([0-9]{1,12})(?:\.([0-9]{1,2}))?$/.exec(text) ?? [];
  return whole === undefined ? null : Number(whole + fraction.padEnd(2, '0'));
}

/** `25000` or `12.34`: cut into text, never divided. */
export function amountText(hundredths: number): string {
  const digits = String(Math.abs(hundredths)).padStart(3, '0');
  const text = `${digits.slice(0, -2)}.${digits.slice(-2)}`.replace(/\.00$/, '');
  return hundredths < 0 ? `-${text}` : text;
}

/** Hundredths of shillings for hundredths of dollars, rounded to whole shillings. */
export function exchanged(hundredths: number, rate: string): number {
  const [whole = '0', fraction = ''] = rate.split('.');
  const below = 10n ** BigInt(fraction.length);
  const exact = BigInt(hundredths) * BigInt(whole + fraction);
  const shillings = (exact + 50n * below) / (100n * below);
  return Number(`${shillings}00`);
}
