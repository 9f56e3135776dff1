import { z } from 'zod';
import { refuse } from '../domain/refusal.ts';
import type { InputError, Refusal } from '../domain/refusal.ts';
import type { Operation } from './operation.ts';

/** The first few say what is wrong; a body made of mistakes must not become an answer of the same size. */
const ERRORS_MAX = 20;

const strictInputs = new WeakMap<Operation, z.ZodObject>();

/** The input's schema, made strict: an unknown field is a caller's mistake, or an attempt. */
export function strictInput(operation: Operation): z.ZodObject {
  const known = strictInputs.get(operation);
  if (known) return known;
  const strict = operation.input.strict();
  strictInputs.set(operation, strict);
  return strict;
}

export function parseInput(operation: Operation, raw: unknown): { readonly value: Record<string, unknown> } | Refusal {
  const parsed = strictInput(operation).safeParse(raw);
  if (parsed.success) return { value: parsed.data };
  const errors = parsed.error.issues.flatMap(errorsOf).slice(0, ERRORS_MAX);
  const [first] = errors;
  const place = first && first.pointer !== '#' ? `${first.pointer.slice(2)} ` : 'The input ';
  return refuse('invalid_request', `The request is not valid: ${place.toLowerCase()}${first?.detail ?? ''}.`, {
    errors,
  });
}

function errorsOf(issue: z.core.$ZodIssue): InputError[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerOf(issue.path), detail: detailOf(issue) }];
  return issue.keys.map((key) => ({
    pointer: pointerOf([...issue.path, key]),
    detail: 'is not a field of this operation',
  }));
}

function detailOf(issue: z.core.$ZodIssue): string {
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return isMissing ? 'is required' : lowerFirst(issue.message);
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);

function pointerOf(path: readonly PropertyKey[]): string {
  return `#${path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
}
