import { REFUSALS } from '../domain/refusal.ts';
import type { RefusalCode } from '../domain/refusal.ts';
import { API_DESCRIPTION, API_TITLE, PROBLEM_SCHEMA, refusalsOf } from '../operations/document-parts.ts';
import { fieldsOf, inputSchemaOf, outputSchemaOf } from '../operations/json-schema.ts';
import type { JsonSchema } from '../operations/json-schema.ts';
import type { Operation } from '../operations/operation.ts';
import { pathFieldsOf } from '../operations/registry.ts';

const KEY_PARAMETER = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'A new random value for each intent, the same for each retry. Bare or quoted; 1 to 255 visible ASCII characters.',
  schema: { type: 'string', minLength: 1, maxLength: 257 },
};

const ANSWER_HEADERS = {
  'X-Request-Id': { description: 'Names this request in the log.', schema: { type: 'string' } },
};

/** The OpenAPI 3.1 document of the registry. The same for every house of this version: it names no host. */
export function openApiDocument(operations: readonly Operation[], version: string): JsonSchema {
  const schemas: Record<string, unknown> = { Problem: PROBLEM_SCHEMA };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    Object.assign(schemas, inputSchemaOf(operation).named, outputSchemaOf(operation).named);
    (paths[operation.http.path] ??= {})[operation.http.method] = pathItem(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: API_TITLE,
      version,
      description: API_DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { session: [] }, { adminSecret: [] }],
    tags: [...new Set(operations.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token that a sign-in answered.' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-hero_session', description: 'Set by a sign-in.' },
        adminSecret: { type: 'apiKey', in: 'header', name: 'X-Hero-Onboarding-Admin-Secret' },
      },
    },
  };
}

const tagOf = (operation: Operation): string => operation.name.split('.')[0] ?? operation.name;

function pathItem(operation: Operation): JsonSchema {
  return {
    operationId: operation.name,
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    tags: [tagOf(operation)],
    security: securityOf(operation),
    parameters: parametersOf(operation),
    ...requestBodyOf(operation),
    responses: { [operation.http.status]: successOf(operation), ...problemsOf(operation) },
  };
}

function securityOf(operation: Operation): JsonSchema[] {
  const known = [{ bearer: [] }, { session: [] }, { adminSecret: [] }];
  return operation.access === 'anyone' ? [{}, ...known] : known;
}

function parametersOf(operation: Operation): JsonSchema[] {
  const inPath = new Set(pathFieldsOf(operation));
  const isRead = operation.http.method === 'get' || operation.http.method === 'delete';
  const parameters: JsonSchema[] = fieldsOf(operation)
    .filter(({ name }) => isRead || inPath.has(name))
    .map(({ name, isRequired, schema }) => ({
      name,
      in: inPath.has(name) ? 'path' : 'query',
      required: inPath.has(name) || isRequired,
      schema,
    }));
  if (operation.idempotency === 'none') return parameters;
  return [...parameters, { ...KEY_PARAMETER, required: operation.idempotency === 'required' }];
}

function requestBodyOf(operation: Operation): JsonSchema {
  if (operation.http.method === 'get' || operation.http.method === 'delete') return {};
  const inPath = new Set(pathFieldsOf(operation));
  const fields = fieldsOf(operation).filter(({ name }) => !inPath.has(name));
  if (fields.length === 0) return {};
  const required = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const schema = {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, field.schema])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
  return { requestBody: { required: required.length > 0, content: { 'application/json': { schema } } } };
}

function successOf(operation: Operation): JsonSchema {
  const hit = {
    description: 'true when this is the first answer to the key again.',
    schema: { type: 'string', const: 'true' },
  };
  const headers = operation.idempotency === 'none' ? ANSWER_HEADERS : { ...ANSWER_HEADERS, 'Idempotency-Hit': hit };
  if (operation.http.status === 204) return { description: 'Done.', headers };
  return {
    description: operation.summary,
    headers,
    content: { 'application/json': { schema: outputSchemaOf(operation).schema } },
  };
}

/** One answer for each status, naming the codes that have it. */
function problemsOf(operation: Operation): JsonSchema {
  const codes = Map.groupBy(refusalsOf(operation), (code) => REFUSALS[code].status);
  const answers = [...codes].map(([status, group]) => [String(status), problemAnswer(status, group)] as const);
  return Object.fromEntries(answers);
}

function problemAnswer(status: number, codes: readonly RefusalCode[]): JsonSchema {
  const retryAfter = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } } };
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSALS[code].title}`).join(' · '),
    headers: status === 429 || status === 503 ? { ...ANSWER_HEADERS, ...retryAfter } : ANSWER_HEADERS,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
