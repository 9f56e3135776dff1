type Schema = boolean | { readonly [key: string]: unknown };

/**
 * Checks a value against a JSON Schema, as far as the OpenRPC meta-schema needs it. References to other documents (JSON Schema's
 * own meta-schema) are taken as: any schema. Answers what is wrong, place by place.
 */
export function checkSchema(root: unknown, value: unknown): string[] {
  return check(root as Schema, value, { root: root as Schema, place: '#' });
}

interface Context {
  readonly root: Schema;
  readonly place: string;
}

function check(schema: Schema, value: unknown, context: Context): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${context.place} is not allowed`];
  const reference = schema['$ref'];
  if (typeof reference === 'string') return checkReference(reference, value, context);
  return [
    ...checkType(schema, value, context),
    ...checkObject(schema, value, context),
    ...checkArray(schema, value, context),
    ...checkChoice(schema, value, context),
  ];
}

function checkReference(reference: string, value: unknown, context: Context): string[] {
  if (!reference.startsWith('#/')) {
    if (reference.endsWith('$ref')) return typeof value === 'string' ? [] : [`${context.place} is not a reference`];
    return isObject(value) || typeof value === 'boolean' ? [] : [`${context.place} is not a schema`];
  }
  let target: unknown = context.root;
  for (const step of reference.slice(2).split('/')) target = isObject(target) ? target[step] : undefined;
  if (target === undefined) throw new Error(`nothing at ${reference}`);
  return check(target as Schema, value, context);
}

function checkType(schema: Exclude<Schema, boolean>, value: unknown, { place }: Context): string[] {
  const { type, enum: choices, minLength } = schema;
  const problems: string[] = [];
  if (typeof type === 'string' && !isOfType(type, value)) problems.push(`${place} is not of type ${type}`);
  if (Array.isArray(choices) && !choices.includes(value)) problems.push(`${place} is none of ${choices.join(', ')}`);
  if (typeof minLength === 'number' && typeof value === 'string' && value.length < minLength)
    problems.push(`${place} is too short`);
  return problems;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'null' ? value === null : typeof value === type;
}

function checkObject(schema: Exclude<Schema, boolean>, value: unknown, context: Context): string[] {
  if (!isObject(value)) return [];
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const patterns = Object.entries((schema['patternProperties'] ?? {}) as Record<string, Schema>);
  const missing = ((schema['required'] ?? []) as string[]).filter((name) => !Object.hasOwn(value, name));
  const problems = missing.map((name) => `${context.place} has no ${name}`);
  for (const [name, member] of Object.entries(value)) {
    const inner = { ...context, place: `${context.place}/${name}` };
    const known = properties[name];
    const matching = patterns.filter(([pattern]) => new RegExp(pattern).test(name)).map(([, one]) => one);
    const applied = [...(known === undefined ? [] : [known]), ...matching];
    const rest = schema['additionalProperties'] as Schema | undefined;
    if (applied.length === 0 && rest !== undefined) applied.push(rest);
    for (const one of applied) problems.push(...check(one, member, inner));
  }
  return problems;
}

function checkArray(schema: Exclude<Schema, boolean>, value: unknown, context: Context): string[] {
  const items = schema['items'] as Schema | undefined;
  if (!Array.isArray(value) || items === undefined) return [];
  return value.flatMap((item, index) => check(items, item, { ...context, place: `${context.place}/${index}` }));
}

function checkChoice(schema: Exclude<Schema, boolean>, value: unknown, context: Context): string[] {
  const choices = schema['oneOf'] as Schema[] | undefined;
  if (choices === undefined) return [];
  const results = choices.map((choice) => check(choice, value, context));
  const matches = results.filter((problems) => problems.length === 0).length;
  return matches === 1 ? [] : [`${context.place} matches ${matches} of ${choices.length}`, ...results.flat()];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
