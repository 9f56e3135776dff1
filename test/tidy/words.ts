import { lineAt, type Finding, type Source } from './source.ts';

interface WordRule {
  readonly rule: string;
  readonly instead: string;
  readonly pattern: RegExp;
  readonly view: 'text' | 'code' | 'bare';
  readonly files: RegExp;
  /** The places that may. */
  readonly except?: RegExp;
  /** Looks closer at what the pattern found. */
  readonly accept?: (found: string, source: Source) => boolean;
}

const SERVER = /^src\/.*\.ts$/;
/** Tests may count in cents. */
const PRODUCT = /^(src|client|web|sandbox|scripts)\/.*\.(ts|tsx)$/;
const CODE = /\.(ts|tsx|js|mjs)$/;
const SYSTEM = /^src\/ports\/system\.ts$/;
/** This folder has to name what it forbids. */
const TIDY = /^test\/tidy(\/|\.test\.ts$)/;

const PORTS: readonly WordRule[] = [
  port('the real clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/g, 'take house.ports.clock', SYSTEM),
  port(
    'the real random source',
    /\bMath\.random\b|\brandom(Bytes|UUID|Int)\b|\bgetRandomValues\b/g,
    'take house.ports.random or ids',
    SYSTEM,
  ),
  port(
    'the network',
    /(?<![.\w])fetch\s*\(|\bglobalThis\.fetch\b/g,
    'take house.ports.http',
    /^src\/ports\/(system|ports)\.ts$/,
  ),
  port(
    'a real timer',
    /(?<![.\w])(setTimeout|setInterval)\s*\(/g,
    'take house.ports.clock.sleep',
    /^src\/ports\/system\.ts$/,
  ),
  port('the environment', /\bprocess\.env\b/g, 'declare a setting in src/config/settings.ts', /^src\/config\.ts$/),
  port('the end of the process', /\bprocess\.exit\s*\(/g, 'set process.exitCode or throw', /^src\/serve\/guards\.ts$/),
  {
    rule: "imports 'pg'",
    instead: 'take a Db from src/store/db.ts',
    pattern: /\b(?:from|import)\s*\(?\s*['"]pg['"]/g,
    view: 'code',
    files: SERVER,
    except: /^src\/store\/(postgres\.ts|embedded\/)/,
  },
  {
    rule: 'starts a process',
    instead: 'only the embedded database and the start of the server do',
    pattern: /['"]node:child_process['"]/g,
    view: 'code',
    files: SERVER,
    except: /^src\/(store\/embedded|serve)\//,
  },
];

function port(what: string, pattern: RegExp, instead: string, except: RegExp): WordRule {
  return { rule: `touches ${what}`, instead, pattern, view: 'bare', files: SERVER, except };
}

const SQL: readonly WordRule[] = [
  {
    rule: 'holds SQL',
    instead: 'put the statement into src/store/',
    pattern:
      /['"`]\s*(select\s[^'"`]*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(table|index|role|database)\s|alter\s+(table|role)\s|truncate\s|with\s+\w+\s+as\s*\()/gi,
    view: 'code',
    files: /^(src|sandbox|client|web)\/.*\.(ts|tsx)$/,
    except: /^src\/store\//,
  },
  {
    rule: 'builds SQL from a value',
    instead: 'pass values as $1, $2; only constants of the same file may be set into the text',
    pattern: /\bstatement\(\s*['"][^'"]*['"]\s*,\s*`[^`]*\$\{[^`]*`/g,
    view: 'code',
    accept: setsInConstantsOnly,
    files: /^src\/store\/.*\.ts$/,
  },
];

/** A constant of the module was fixed before any value came in. */
function setsInConstantsOnly(found: string, source: Source): boolean {
  return [...found.matchAll(/\$\{([^}]*)\}/g)].every(([, name = '']) =>
    /^\w+$/.test(name) ? new RegExp(`^(export )?const ${name}\\b`, 'm').test(source.bare) : false,
  );
}

const WORDS: readonly WordRule[] = [
  {
    rule: 'leaves work behind',
    instead: 'do it now, or drop the note',
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/g,
    view: 'text',
    files: /\.(ts|tsx|js|sql|md|css|html|sh)$/,
  },
  {
    rule: 'converts money by hand',
    instead: 'use fromCents or toCentsFloor of src/domain/money.ts',
    pattern: /\*\s*100(?![\d_.])/g,
    view: 'bare',
    files: PRODUCT,
  },
  {
    rule: 'sets innerHTML',
    instead: 'render elements',
    pattern: /\.innerHTML\b|dangerouslySetInnerHTML/g,
    view: 'bare',
    files: CODE,
  },
  {
    rule: 'trusts any certificate',
    instead: 'name the authority',
    pattern: /rejectUnauthorized:\s*false/g,
    view: 'bare',
    files: CODE,
  },
  {
    rule: 'has a default export',
    instead: 'export it by name',
    pattern: /^export default\b/gm,
    view: 'bare',
    files: CODE,
    except: /(^|\/)[^/]+\.config\.ts$/,
  },
  {
    rule: 'is a barrel',
    instead: 'import from the file that declares it',
    pattern: /^export \* from/gm,
    view: 'bare',
    files: CODE,
  },
  {
    rule: 'switches a check off without a reason',
    instead: 'write the reason after --',
    pattern: /(?:ox|es)lint-disable(?:-next-line|-line)?(?![^\n]* -- \S)/g,
    view: 'text',
    files: CODE,
  },
  {
    rule: 'silences the compiler',
    instead: 'give it the right type',
    pattern: /@ts-(ignore|nocheck)\b/g,
    view: 'text',
    files: CODE,
  },
  {
    rule: 'does not run a test',
    instead: 'make it pass or delete it',
    pattern: /\b(?:it|test|describe)\.(?:skip|only|todo)\s*\(/g,
    view: 'bare',
    files: /^test\/.*\.tsx?$/,
  },
  {
    rule: 'names a place of one machine',
    instead: 'use a path inside the project',
    pattern: /(?<![\w.-])\/work\/|\/home\/\w+\//g,
    view: 'text',
    files: /^(?!package-lock\.json).*\.(ts|tsx|js|json|md|sql|css|html|sh|env|ya?ml)$|^\.ci\//,
  },
];

export const WORD_RULES: readonly WordRule[] = [...PORTS, ...SQL, ...WORDS];

export function checkWords(source: Source): Finding[] {
  if (TIDY.test(source.file)) return [];
  return WORD_RULES.flatMap((rule) => {
    if (!rule.files.test(source.file) || rule.except?.test(source.file) === true) return [];
    const view = source[rule.view];
    const matches = [...view.matchAll(rule.pattern)].filter((match) => rule.accept?.(match[0], source) !== true);
    return matches.map((match) => ({
      file: source.file,
      line: lineAt(view, match.index),
      rule: rule.rule,
      instead: rule.instead,
    }));
  });
}
