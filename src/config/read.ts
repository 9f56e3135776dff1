import { SETTINGS, type Setting, type SettingName, type Values } from './settings.ts';

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

/** Reads every setting. An empty text counts as absent. Throws {@link ConfigError} with all problems at once. */
export function readValues(env: Environment): Values {
  const problems: string[] = [];
  const read = Object.entries(SETTINGS).map(([name, setting]) => [name, readOne(setting, env, problems)]);
  if (problems.length > 0) throw new ConfigError(problems);
  // Every key of SETTINGS was read by its own parser just above.
  return Object.fromEntries(read) as Values;
}

function readOne(setting: Setting, env: Environment, problems: string[]): unknown {
  const given = givenText(env, setting.env);
  const text = given ?? setting.default;
  if (text === null) return null;
  const parsed = setting.kind.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  const must = parsed.error.issues[0]?.message ?? 'is not valid';
  problems.push(
    setting.isSecret ? `${setting.env} ${must}.` : `${setting.env} ${must}; it is ${JSON.stringify(text)}.`,
  );
  return null;
}

export function givenText(env: Environment, name: string): string | null {
  const text = env[name]?.trim();
  return text === undefined || text === '' ? null : text;
}

const PREFIX = 'HERO_ONBOARDING_';
/** Names with our prefix that other programs read: the command line and the smoke suites. */
const KNOWN_ELSEWHERE = new Set(['HERO_ONBOARDING_URL', 'HERO_ONBOARDING_TOKEN']);

/** Names that carry our prefix but are no setting: most likely a slip of the pen. */
export function unknownNames(env: Environment): string[] {
  const known = new Set<string>(Object.values(SETTINGS).map((setting) => setting.env));
  return Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.has(name) && !KNOWN_ELSEWHERE.has(name));
}

export const envOf = (name: SettingName): string => SETTINGS[name].env;
