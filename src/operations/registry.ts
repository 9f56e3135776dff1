import type { z } from 'zod';
import type { Operation } from './operation.ts';
import { HOUSE } from './registered/house.ts';
import { MONEY } from './registered/money.ts';
import { PEOPLE } from './registered/people.ts';
import { RENTING } from './registered/renting.ts';
import { USAGE } from './registered/usage.ts';

/** In the order of the reference pages: by noun, reading before writing. */
const declared = [...PEOPLE, ...MONEY, ...RENTING, ...USAGE, ...HOUSE] as const;

type Declared = (typeof declared)[number];

/** What each operation takes and answers on the wire, by name: the types of the client. */
export type Wire = {
  readonly [D in Declared as D['name']]: {
    readonly input: z.input<D['input']>;
    readonly output: z.output<D['output']>;
  };
};

/** Everything the house can be asked to do. Transports, documents, the CLI and the client know nothing else. */
export const OPERATIONS: readonly Operation[] = declared;

/** The name of an operation on JSON-RPC. */
export const rpcMethodOf = (operation: Operation): string => operation.rpcMethod ?? operation.name;

const byName = new Map(OPERATIONS.map((operation) => [operation.name, operation]));
const byRpcMethod = new Map(OPERATIONS.map((operation) => [rpcMethodOf(operation), operation]));

export const operationByName = (name: string): Operation | undefined => byName.get(name);
export const operationByRpcMethod = (method: string): Operation | undefined => byRpcMethod.get(method);

/** The fields that a path names, in its order: `/v1/billings/{sid}` has `sid`. */
export const pathFieldsOf = (operation: Operation): readonly string[] =>
  [...operation.http.path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1] ?? '');
