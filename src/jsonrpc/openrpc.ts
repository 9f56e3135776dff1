import { REFUSALS } from '../domain/refusal.ts';
import { API_DESCRIPTION, API_TITLE, PROBLEM_SCHEMA, refusalsOf } from '../operations/document-parts.ts';
import { fieldsOf, inputSchemaOf, outputSchemaOf } from '../operations/json-schema.ts';
import type { JsonSchema } from '../operations/json-schema.ts';
import type { Operation } from '../operations/operation.ts';
import { rpcMethodOf } from '../operations/registry.ts';

/** The OpenRPC 1.3.2 document of the registry: what `rpc.discover` answers. */
export function openRpcDocument(operations: readonly Operation[], version: string): JsonSchema {
  const schemas: Record<string, unknown> = { Problem: PROBLEM_SCHEMA };
  for (const operation of operations) {
    Object.assign(schemas, inputSchemaOf(operation).named, outputSchemaOf(operation).named);
  }
  return {
    openrpc: '1.3.2',
    info: { title: API_TITLE, version, description: API_DESCRIPTION, license: { name: 'Apache-2.0' } },
    servers: [{ name: 'this service', url: '/rpc' }],
    methods: operations.map(methodOf),
    components: { schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
}

function methodOf(operation: Operation): JsonSchema {
  const method = rpcMethodOf(operation);
  return {
    name: method,
    summary: operation.summary,
    description: [operation.description, accessOf(operation), keyOf(operation)].filter(Boolean).join(' '),
    tags: [{ name: operation.name.split('.')[0] ?? operation.name }],
    paramStructure: 'either',
    params: fieldsOf(operation)
      // A param that may be left out cannot stand before one that may not, when they go by position.
      .toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired))
      .map(({ name, isRequired, schema }) => ({ name, required: isRequired, schema })),
    result: { name: 'result', schema: outputSchemaOf(operation).schema },
    errors: refusalsOf(operation).map((code) => ({
      code: REFUSALS[code].rpc,
      message: REFUSALS[code].title,
      data: { code },
    })),
  };
}

function accessOf(operation: Operation): string {
  if (operation.access === 'anyone') return 'Anyone may call it.';
  if (operation.access === 'operator') return 'For operators.';
  if (operation.access === 'node') return 'For nodes.';
  return operation.access === 'node_or_operator'
    ? 'For the node itself and for operators.'
    : 'For the owner and for operators.';
}

function keyOf(operation: Operation): string {
  if (operation.idempotency === 'none') return '';
  const how = 'the Idempotency-Key header, or by name as the param idempotency_key';
  return operation.idempotency === 'required'
    ? `Needs an idempotency key: ${how}.`
    : `Accepts an idempotency key: ${how}.`;
}
