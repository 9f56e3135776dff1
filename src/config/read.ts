import type { Setting } from './setting.ts';
import { SETTINGS, type Values } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration cannot be used. Each problem is a sentence that names its setting; none holds a secret's value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads every setting. An empty text counts as absent. Throws {@link ConfigError} with all problems at once.
 * `showValues`: whether a problem repeats the wrong text; that of a secret is never repeated.
 */
export function readValues(env: Environment, { showValues }: { readonly showValues: boolean }): Values {
  const problems: string[] = [];
  const read = Object.entries(SETTINGS).map(([name, setting]) => {
    const outcome = readOne(setting, env);
    if (outcome.must === null) return [name, outcome.value];
    const repeated = showValues && !setting.isSecret ? `; it is ${JSON.stringify(givenText(env, setting.env))}` : '';
    problems.push(`${setting.env} ${outcome.must}${repeated}.`);
    return [name, null];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  // Every key of SETTINGS was read by its own parser just above.
  return Object.fromEntries(read) as Values;
}

function readOne(setting: Setting, env: Environment): { readonly value: unknown; readonly must: string | null } {
  const text = givenText(env, setting.env) ?? setting.default;
  if (text === null) return { value: null, must: null };
  const parsed = setting.kind.schema.safeParse(text);
  if (parsed.success) return { value: parsed.data, must: null };
  return { value: null, must: parsed.error.issues[0]?.message ?? 'is not valid' };
}

export function givenText(env: Environment, name: string): string | null {
  const text = env[name]?.trim();
  return text === undefined || text === '' ? null : text;
}

const PREFIX = 'HERO_ONBOARDING_';

/** Names that carry our prefix but are no setting: most likely a slip of the pen. */
export function unknownNames(env: Environment): string[] {
  const known = new Set<string>(Object.values(SETTINGS).map((setting) => setting.env));
  return Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.has(name));
}
