import { refuse, REFUSALS } from '../domain/refusal.ts';
import type { Refusal } from '../domain/refusal.ts';
import { execute } from '../operations/execute.ts';
import type { House } from '../operations/house.ts';
import { fieldsOf } from '../operations/json-schema.ts';
import type { Actor, Operation } from '../operations/operation.ts';
import type { Problem } from '../operations/problem.ts';
import { noteSecretUse } from '../operations/operator/secret-use.ts';
import { operationByRpcMethod } from '../operations/registry.ts';
import { refusalReply } from '../operations/reply.ts';
import type { Reply } from '../operations/reply.ts';
import { parseStrictJson } from '../operations/strict-json.ts';
import type { JsonValue } from '../operations/strict-json.ts';

/** Calls of a batch run one after another, so a batch is as long as a request may take. */
const BATCH_CALLS_MAX = 100;

export interface RpcRequest {
  /** Who calls, or why the credential that came along is not taken. */
  readonly actor: Actor | Refusal;
  readonly text: string;
  /** The Idempotency-Key header; good for a single call only. */
  readonly idempotencyKey: string | null;
  readonly requestId: string;
  /** The OpenRPC document as JSON text. */
  readonly document: string;
}

export interface RpcAnswer {
  /** Null when there is nothing to answer: only notifications. */
  readonly body: string | null;
  /** Whether a single call was answered with the first answer to its key. */
  readonly replayed: boolean;
  /** The operation of a single call; for metrics. */
  readonly operation: string;
  readonly retryAfterSeconds?: number;
}

type Id = string | number | null;

/** Answers one JSON-RPC 2.0 request or batch. Calls of a batch run in their order: a read after a debit sees the debit. */
export async function dispatchRpc(house: House, request: RpcRequest): Promise<RpcAnswer> {
  const parsed = parseStrictJson(request.text);
  if (parsed.kind === 'malformed')
    return alone(errorText(null, -32700, 'Parse error', { detail: parsed.detail }, request));
  if (parsed.kind === 'refused')
    return alone(errorText(null, -32600, 'Invalid Request', { errors: [parsed.error] }, request));
  if (!Array.isArray(parsed.value)) return await dispatchSingle(house, parsed.value, request);
  return { body: await dispatchBatch(house, parsed.value, request), replayed: false, operation: 'rpc.batch' };
}

const alone = (body: string): RpcAnswer => ({ body, replayed: false, operation: 'rpc.invalid' });

async function dispatchSingle(house: House, call: JsonValue, request: RpcRequest): Promise<RpcAnswer> {
  const { text, reply, operation } = await dispatchCall(house, call, request, request.idempotencyKey);
  const retryAfterSeconds = reply?.retryAfterSeconds;
  return {
    body: text,
    replayed: reply?.replayed ?? false,
    operation,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

async function dispatchBatch(house: House, calls: readonly JsonValue[], request: RpcRequest): Promise<string | null> {
  if (calls.length === 0 || calls.length > BATCH_CALLS_MAX) {
    const detail = `A batch has 1 to ${BATCH_CALLS_MAX} calls.`;
    return errorText(null, -32600, 'Invalid Request', { detail }, request);
  }
  if (request.idempotencyKey !== null) {
    const detail = 'One Idempotency-Key header cannot serve a batch: give each call the param idempotency_key.';
    return errorText(null, -32600, 'Invalid Request', { detail }, request);
  }
  const answers: string[] = [];
  for (const call of calls) {
    const { text } = await dispatchCall(house, call, request, null);
    if (text !== null) answers.push(text);
  }
  return answers.length > 0 ? `[${answers.join(',')}]` : null;
}

interface CallAnswer {
  /** Null for a notification. */
  readonly text: string | null;
  readonly reply: Reply | null;
  readonly operation: string;
}

async function dispatchCall(
  house: House,
  call: JsonValue,
  request: RpcRequest,
  headerKey: string | null,
): Promise<CallAnswer> {
  const invalid = whatIsInvalid(call);
  if (invalid !== null || !isObject(call)) {
    const text = errorText(
      idOf(call),
      -32600,
      'Invalid Request',
      { detail: invalid ?? 'A call is an object.' },
      request,
    );
    return { text, reply: null, operation: 'rpc.invalid' };
  }
  const isNotification = !Object.hasOwn(call, 'id');
  const id = idOf(call);
  const method = typeof call['method'] === 'string' ? call['method'] : '';
  const spoken = (text: string, operation: string, reply: Reply | null = null): CallAnswer => ({
    text: isNotification ? null : text,
    reply,
    operation,
  });
  if (method === 'rpc.discover') return spoken(resultText(id, request.document), method);
  const operation = operationByRpcMethod(method);
  if (!operation) return spoken(errorText(id, -32601, 'Method not found', {}, request), 'rpc.unknown');
  const reply = await run(house, operation, call['params'], request, headerKey);
  return spoken(replyText(id, reply), operation.name, reply);
}

function whatIsInvalid(call: JsonValue): string | null {
  if (!isObject(call)) return 'A call is an object.';
  if (call['jsonrpc'] !== '2.0') return 'jsonrpc must be "2.0".';
  if (typeof call['method'] !== 'string') return 'method must be a string.';
  if (Object.hasOwn(call, 'id') && !isId(call['id'])) return 'id must be a string, a number or null.';
  const { params } = call;
  if (params !== undefined && (typeof params !== 'object' || params === null))
    return 'params must be an object or an array.';
  return null;
}

async function run(
  house: House,
  operation: Operation,
  params: JsonValue | undefined,
  request: RpcRequest,
  headerKey: string | null,
): Promise<Reply> {
  const { actor, requestId } = request;
  if ('code' in actor) return refusalReply(actor, requestId);
  const named = Array.isArray(params) ? byName(operation, params) : (params ?? {});
  if (named === null) {
    const refusal = refuse('invalid_request', `${operation.name} takes at most ${fieldsOf(operation).length} params.`);
    return refusalReply(refusal, requestId);
  }
  const { input, key } = splitKey(operation, named as Record<string, JsonValue>);
  if (key !== undefined && typeof key !== 'string') {
    const errors = [{ pointer: '#/idempotency_key', detail: 'must be a string' }];
    return refusalReply(refuse('invalid_request', 'The idempotency key is not valid.', { errors }), requestId);
  }
  // An object of its own: of a batch each call leaves its own traces.
  const caller = { ...actor };
  const reply = await execute(house, operation, { actor: caller, input, idempotencyKey: key ?? headerKey, requestId });
  await noteSecretUse(house, { actor: caller, operation, status: reply.status, requestId });
  return reply;
}

/** The param stands for the header, except where it is a field of the operation's own: a node's key for a record. */
function splitKey(
  operation: Operation,
  named: Record<string, JsonValue>,
): { readonly input: Record<string, JsonValue>; readonly key: JsonValue | undefined } {
  if (Object.hasOwn(operation.input.shape, 'idempotency_key')) return { input: named, key: undefined };
  const { idempotency_key: key, ...input } = named;
  return { input, key };
}

/** Params by position follow the document: required ones first, otherwise as declared. A null leaves an optional one out. */
function byName(operation: Operation, params: readonly JsonValue[]): Record<string, JsonValue> | null {
  const fields = fieldsOf(operation).toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
  if (params.length > fields.length) return null;
  const named: Record<string, JsonValue> = {};
  for (const [index, field] of fields.entries()) {
    const value = params[index];
    if (value === undefined || (value === null && !field.isRequired)) continue;
    named[field.name] = value;
  }
  return named;
}

function replyText(id: Id, reply: Reply): string {
  if (reply.status < 400) return resultText(id, reply.body === '' ? 'null' : reply.body);
  const problem = JSON.parse(reply.body) as Problem;
  const { code, request_id: requestId, errors, details, detail } = problem;
  const data = {
    code,
    request_id: requestId,
    ...(errors ? { errors } : {}),
    ...(details ? { details } : {}),
    ...(reply.retryAfterSeconds === undefined ? {} : { retry_after_seconds: reply.retryAfterSeconds }),
    ...(reply.replayed ? { idempotency_hit: true } : {}),
  };
  return JSON.stringify({ jsonrpc: '2.0', error: { code: REFUSALS[code].rpc, message: detail, data }, id });
}

/** The result's text goes in as it is: a stored first answer stays the same byte for byte. */
const resultText = (id: Id, result: string): string =>
  `{"jsonrpc":"2.0","result":${result},"id":${JSON.stringify(id)}}`;

function errorText(id: Id, code: number, message: string, facts: Record<string, unknown>, request: RpcRequest): string {
  const data = { code: code === -32601 ? 'not_found' : 'invalid_request', request_id: request.requestId, ...facts };
  return JSON.stringify({ jsonrpc: '2.0', error: { code, message, data }, id });
}

const isObject = (value: JsonValue): value is { [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: JsonValue | undefined): value is Id =>
  value === null || typeof value === 'string' || typeof value === 'number';

function idOf(call: JsonValue): Id {
  const id = isObject(call) ? call['id'] : null;
  return isId(id) ? id : null;
}
