import { EN } from './en.ts';
import { SW } from './sw.ts';

export const LANGUAGES = ['en', 'sw'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Every sentence that leaves the house in a user's language. English is the pattern; another language has the same keys, or does not compile. */
export type Words = Readonly<Record<keyof typeof EN, string>>;

export const WORDS: Readonly<Record<Language, Words>> = { en: EN, sw: SW };

/**
 * Sets values into a sentence: `{amount}` becomes what stands under that name.
 * What is set in is not looked at again, so a name with braces in it stays a name with braces.
 */
export function fill(sentence: string, values: Readonly<Record<string, string>>): string {
  return sentence.replaceAll(/\{([a-z_]+)\}/g, (whole, name: string) => values[name] ?? whole);
}
