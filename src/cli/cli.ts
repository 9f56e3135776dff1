import { Command, CommanderError, Option } from 'commander';
import { createClient } from '../../client/client.ts';
import type { CallOptions, Client, ClientOptions, OperationName } from '../../client/client.ts';
import { ProblemError } from '../../client/problem.ts';
import { ROUTES } from '../../client/routes.ts';
import { Bug } from '../domain/assert.ts';
import { fieldsOf } from '../operations/json-schema.ts';
import type { JsonSchema } from '../operations/json-schema.ts';
import type { Operation } from '../operations/operation.ts';
import { OPERATIONS, pathFieldsOf } from '../operations/registry.ts';
import { forgetKept, signIn, trimmed } from './credentials.ts';
import { login, logout, type LoginOptions } from './login.ts';
import { formatAnswer } from './table.ts';

/** What the command line needs of the world. */
export interface CliDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Null when there is no such file. */
  readonly readFile: (path: string) => string | null;
  /** For nobody else to read; makes the folder. */
  readonly writeFile: (path: string, text: string) => void;
  /** One line from whoever sits there; null: nobody does. */
  readonly ask: (question: string) => Promise<string | null>;
  readonly now: () => Date;
  readonly fetch: NonNullable<ClientOptions['fetch']>;
  readonly sleep: NonNullable<ClientOptions['sleep']>;
}

export interface GlobalOptions {
  readonly url: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly adminSecretFile?: string;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

const REFUSED = 1;
const WRONG_COMMAND = 2;

/** One command for each operation, from the registry. The function answers the exit code and never throws. */
export function buildCli(deps: CliDeps): (args: readonly string[]) => Promise<number> {
  return async (args) => {
    let exitCode = 0;
    const run: Runner = async (operation, input, options) => {
      exitCode = await runOperation(deps, operation, input, options);
    };
    const program = programOf(deps, run, args);
    addLogin(program, deps, async (work) => {
      exitCode = await answering(deps, work);
    });
    try {
      await program.parseAsync([...args], { from: 'user' });
      return exitCode;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      return error.exitCode === 0 ? 0 : WRONG_COMMAND;
    }
  };
}

type Runner = (operation: Operation, input: Record<string, unknown>, options: GlobalOptions) => Promise<void>;

/** Verbs are made of the nouns that were typed only: each has a schema to be read, and there are hundreds. */
function programOf(deps: CliDeps, run: Runner, args: readonly string[]): Command {
  const program = new Command('hero-onboarding')
    .description('Calls a running service. Every command is one operation: docs/reference/operations.md')
    .addOption(
      new Option('--url <url>', 'where the service is').default(
        deps.env['HERO_ONBOARDING_PUBLIC_URL'] ?? `http://${deps.env['HERO_ONBOARDING_LISTEN'] ?? '127.0.0.1:9920'}`,
      ),
    )
    .option('--token <token>', 'a session token, to call as a user. On a machine of others use --token-file')
    .option('--token-file <path>', 'a file with a session token or a key (uk_…, nk_…)')
    .option(
      '--admin-secret-file <path>',
      'a file with the admin secret; otherwise HERO_ONBOARDING_ADMIN_SECRET. Never an argument: everybody on the machine can read those',
    )
    .option('--idempotency-key <key>', 'for calls that move money: send the key of an earlier attempt again')
    .option('--json', 'print the answer as JSON')
    .showHelpAfterError('(add --help to see what it takes)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: deps.out, writeErr: deps.err });
  const nouns = Map.groupBy(OPERATIONS, ({ name }) => name.split('.')[0] ?? name);
  for (const [noun, operations] of nouns) {
    const command = inherit(program, program.command(noun)).description(
      operations.map(({ name }) => name.slice(noun.length + 1)).join(', '),
    );
    if (args.includes(noun)) for (const operation of operations) addVerb(command, operation, run);
  }
  return program.exitOverride();
}

/** What belongs to the command line alone: no operation, because it opens what operations are called with. */
function addLogin(program: Command, deps: CliDeps, run: (work: () => Promise<void>) => Promise<void>): void {
  inherit(program, program.command('login'))
    .summary('sign in as a Mycelium node, and stay so')
    .description(
      'Sends a code to the node and takes it back: from the daemon on this machine, or by asking you. The session is kept for the commands that follow.',
    )
    .option('--address <text>', 'an address of the node; left out, the daemon is asked for it')
    .option('--mycelium-api <url>', "the daemon's API, for example http://127.0.0.1:8989")
    .action(async (_, command: Command) => run(() => login(deps, command.optsWithGlobals<LoginOptions>())));
  inherit(program, program.command('logout'))
    .summary('end the session that login keeps')
    .action(async (_, command: Command) => run(() => logout(deps, command.optsWithGlobals<LoginOptions>())));
}

/** Sub-commands end and print like the program. */
function inherit(parent: Command, command: Command): Command {
  return command.copyInheritedSettings(parent).exitOverride();
}

function addVerb(noun: Command, operation: Operation, run: Runner): void {
  const verb = operation.name.slice(noun.name().length + 1);
  const command = inherit(noun, noun.command(verb))
    .summary(operation.summary)
    .description([operation.summary, operation.description].filter(Boolean).join('.\n'));
  const pathFields = pathFieldsOf(operation);
  const places = [...pathFields, ...(operation.byPosition ?? [])];
  const fields = fieldsOf(operation);
  for (const name of places) {
    const field = fields.find((one) => one.name === name);
    const place = pathFields.includes(name) || field?.isRequired === true ? `<${name}>` : `[${name}]`;
    command.argument(place, descriptionOf(field?.schema ?? {}));
  }
  const flags = fields.filter(({ name }) => !places.includes(name));
  for (const { name, isRequired, schema } of flags) {
    command.addOption(flagOf(name, schema).makeOptionMandatory(isRequired));
  }
  command.action(async (...args: unknown[]) => {
    const flagValues = command.opts<Record<string, unknown>>();
    const placed = places.map((name, index) => [name, args[index]] as const).filter(([, value]) => value !== undefined);
    const given = flags
      .map(({ name }) => [name, flagValues[toCamel(name)]] as const)
      .filter(([, value]) => value !== undefined);
    await run(operation, Object.fromEntries([...placed, ...given]), command.optsWithGlobals<GlobalOptions>());
  });
}

function flagOf(name: string, schema: JsonSchema): Option {
  const flag = `--${name.replaceAll('_', '-')}`;
  const description = descriptionOf(schema);
  if (schema['type'] === 'boolean') {
    return new Option(`${flag} [true|false]`, description).argParser(readBoolean).preset(true);
  }
  if (schema['type'] === 'integer' || schema['type'] === 'number') {
    return new Option(`${flag} <number>`, description).argParser(readInteger);
  }
  if (schema['type'] === 'array') return new Option(`${flag} <json>`, description).argParser(readJson);
  const option = new Option(`${flag} <text>`, description);
  const choices = schema['enum'];
  return Array.isArray(choices) ? option.choices(choices.map(String)) : option;
}

/** What is not a number goes to the server as text, which says what is wrong with it better than a command line can. */
const readInteger = (text: string): unknown => (/^(0|-?[1-9][0-9]{0,14})$/.test(text) ? Number(text) : text);
const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
const readBoolean = (text: string | boolean): unknown => (text === 'false' ? false : text === 'true' ? true : text);

function descriptionOf(schema: JsonSchema): string {
  const { description, default: standard } = schema;
  const text = typeof description === 'string' ? description : '';
  return standard === undefined ? text : `${text} Default: ${JSON.stringify(standard)}.`.trim();
}

const toCamel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

async function runOperation(
  deps: CliDeps,
  operation: Operation,
  input: Record<string, unknown>,
  options: GlobalOptions,
): Promise<number> {
  return answering(deps, async () => {
    const credentials = await signIn(deps, operation, options);
    const client = createClient({ url: trimmed(options.url), fetch: deps.fetch, sleep: deps.sleep, ...credentials });
    const answer = await callByName(client, operation.name, input, keyOf(options)).catch((error: unknown) => {
      if (error instanceof ProblemError && error.status === 401) forgetKept(deps, options, credentials);
      throw error;
    });
    if (answer.isReplayed) deps.err('This is the first answer to the idempotency key again; nothing was done twice.\n');
    deps.out(options.json === true ? `${JSON.stringify(answer.value, null, 2)}\n` : formatAnswer(answer.value));
  });
}

/** The exit code: a problem is told, everything else is thrown. */
async function answering(deps: CliDeps, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    deps.err(sentencesOf(error));
    return REFUSED;
  }
}

/** The flags were made from the same registry as the client's types, so the server's schemas are the check. */
async function callByName(client: Client, name: string, input: Record<string, unknown>, options: CallOptions) {
  if (!isRouted(name)) throw new Bug(`${name} has no route: client/routes.ts is older than the registry`);
  return await client.answer(name, input, options);
}

const isRouted = (name: string): name is OperationName => Object.hasOwn(ROUTES, name);

const keyOf = ({ idempotencyKey }: GlobalOptions): CallOptions =>
  idempotencyKey === undefined ? {} : { idempotencyKey };

function sentencesOf(problem: ProblemError): string {
  const lines = [
    `${problem.code}: ${problem.message}`,
    ...problem.errors.map(({ pointer, detail }) => `  ${pointer} ${detail}`),
  ];
  if (problem.requestId !== null) lines.push(`  request ${problem.requestId}`);
  const isOpen = problem.status === 0 || problem.status >= 500;
  if (isOpen && problem.idempotencyKey !== null) {
    lines.push(
      `  The outcome is not known. Repeat with --idempotency-key ${problem.idempotencyKey} to find out; it happens once.`,
    );
  }
  return `${lines.join('\n')}\n`;
}
