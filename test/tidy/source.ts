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

const PLAIN = /[^'"`/]+/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y;
const REGEX = /\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;

/** A small scanner of TypeScript: good enough to tell comments, strings, templates and regular expressions apart. */
function blank(text: string, alsoStrings: boolean): string {
  let out = '';
  for (let at = 0; at < text.length;) {
    const part = partAt(text, at);
    if (part.kind === 'comment') out += spaces(part.text);
    else if (part.kind === 'code' || !alsoStrings) out += part.text;
    else if (part.kind === 'template') out += blankTemplate(part.text);
    else out += part.text.charAt(0) + spaces(part.text.slice(1, -1)) + part.text.slice(-1);
    at += part.text.length;
  }
  return out;
}

interface Part {
  readonly kind: 'code' | 'comment' | 'string' | 'template';
  readonly text: string;
}

function partAt(text: string, at: number): Part {
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const comment = match(COMMENT);
  if (comment !== undefined) return { kind: 'comment', text: comment };
  if (text[at] === '`') return { kind: 'template', text: text.slice(at, templateEnd(text, at)) };
  const quoted = match(STRING) ?? (mayStartRegex(text.slice(Math.max(0, at - 40), at)) ? match(REGEX) : undefined);
  if (quoted !== undefined) return { kind: 'string', text: quoted };
  return { kind: 'code', text: match(PLAIN) ?? text.charAt(at) };
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
