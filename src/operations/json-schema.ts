import { z } from 'zod';
import { strictInput } from './input.ts';
import type { Operation } from './operation.ts';

export type JsonSchema = { readonly [key: string]: unknown };

/** A schema of one document, and the named schemas it refers to. */
export interface DocumentSchema {
  readonly schema: JsonSchema;
  readonly named: Readonly<Record<string, JsonSchema>>;
}

/** What a caller sends, before defaults are filled in. */
export const inputSchemaOf = (operation: Operation): DocumentSchema => toDocument(strictInput(operation), 'input');

/** What the caller gets. */
export const outputSchemaOf = (operation: Operation): DocumentSchema => toDocument(operation.output, 'output');

/** The fields of an operation's input with their schemas, in the order in which they are declared. */
export function fieldsOf(
  operation: Operation,
): { readonly name: string; readonly isRequired: boolean; readonly schema: JsonSchema }[] {
  const { schema } = inputSchemaOf(operation);
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  return Object.entries(properties).map(([name, field]) => ({ name, isRequired: required.has(name), schema: field }));
}

function toDocument(type: z.ZodType, io: 'input' | 'output'): DocumentSchema {
  // Transforms end in domain types, which never reach a wire; what is documented is the text before them.
  const whole = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as JsonSchema;
  const { $schema: _dialect, $defs, ...schema } = rewrite(whole) as JsonSchema;
  const id = schema['id'];
  const named = Object.fromEntries(
    Object.entries(($defs ?? {}) as Record<string, JsonSchema>).map(([name, one]) => [name, withoutId(one)]),
  );
  if (typeof id !== 'string') return { schema, named };
  return { schema: { $ref: `#/components/schemas/${id}` }, named: { ...named, [id]: withoutId(schema) } };
}

function withoutId(schema: JsonSchema): JsonSchema {
  const { id: _id, $id: _dollarId, ...rest } = schema;
  return rest;
}

/** Local definitions become components of the document. The range of a safe integer says nothing to a reader and goes. */
function rewrite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrite);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => !isSafeIntegerBound(name, member))
      .map(([name, member]) => [
        name,
        name === '$ref' && typeof member === 'string' ? toComponent(member) : rewrite(member),
      ]),
  );
}

const isSafeIntegerBound = (name: string, member: unknown): boolean =>
  (name === 'maximum' && member === Number.MAX_SAFE_INTEGER) ||
  (name === 'minimum' && member === Number.MIN_SAFE_INTEGER);

const toComponent = (reference: string): string => reference.replace(/^#\/\$defs\//, '#/components/schemas/');
