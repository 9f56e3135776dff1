/** A source text in two other forms of the same length, so that a position is the same line in all three. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** Comments blanked. */
  readonly code: string;
  /** Comments and what stands inside strings blanked. What stands in `${…}` stays. */
  readonly bare: string;
}

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  /** What to do instead. */
  readonly instead: string;
}

export const show = (finding: Finding): string => `${finding.file}:${finding.line} ${finding.rule}; ${finding.instead}`;

export const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

export function sourceOf(file: string, text: string): Source {
  if (!/\.(ts|tsx|js|mjs)$/.test(file)) return { file, text, code: text, bare: text };
  return { file, text, code: blank(text, false), bare: blank(text, true) };
}

const BLANK = /[^\n]/g;
const spaces = (text: string): string => text.replace(BLANK, ' ');

/** A small scanner of TypeScript: good enough to tell comments, strings, templates and regular expressions apart. */
function blank(text: string, alsoStrings: boolean): string {
  let out = '';
  let at = 0;
  const take = (length: number, isBlank: boolean): void => {
    const part = text.slice(at, at + length);
    out += isBlank ? spaces(part) : part;
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const comment = /^(\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest);
    if (comment !== null) take(comment[0].length, true);
    else if (rest[0] === '`') {
      const end = templateEnd(text, at);
      out += alsoStrings ? blankTemplate(text.slice(at, end)) : text.slice(at, end);
      at = end;
    } else {
      const string = /^('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/.exec(rest);
      const regex =
        string === null && mayStartRegex(out)
          ? /^\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(rest)
          : null;
      const quoted = string?.[0] ?? regex?.[0];
      if (quoted === undefined) take(1, false);
      else {
        out += alsoStrings ? quoted[0] + spaces(quoted.slice(1, -1)) + quoted.at(-1) : quoted;
        at += quoted.length;
      }
    }
  }
  return out;
}

const mayStartRegex = (before: string): boolean => /(^|[(,=:[!&|?{};>]|\breturn)\s*$/.test(before);

function templateEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '\\') at += 1;
    else if (depth === 0 && letter === '`') return at + 1;
    else if (letter === '$' && text[at + 1] === '{') {
      depth += 1;
      at += 1;
    } else if (depth > 0 && letter === '{') depth += 1;
    else if (depth > 0 && letter === '}') depth -= 1;
    else if (depth > 0 && letter === '`') at = templateEnd(text, at) - 1;
  }
  return text.length;
}

function blankTemplate(template: string): string {
  return template.replace(/\$\{[^{}]*\}|[^\n`]/g, (part) => (part.length > 1 ? part : ' '));
}
