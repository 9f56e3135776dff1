import type { z } from 'zod';
import type { KeyScope, MemberRole, OperatorRole, Right } from '../domain/identity/role.ts';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import type { Tx } from '../store/db.ts';
import type { NodeRow } from '../store/node.ts';
import type { House } from './house.ts';

/** How somebody showed who they are, where that can be ended. */
export interface Credential {
  readonly kind: 'session' | 'key';
  /** Of the session or key. */
  readonly sid: string;
  /** When they last showed who they are; null: a key shows it each time, and never more than a key can. */
  readonly provenAt: Date | null;
  readonly expiresAt: Date | null;
  /** With what a page shows that a request is its own; null where no browser sends the credential by itself. */
  readonly formToken: string | null;
}

export interface UserActor {
  readonly kind: 'user';
  /** `user:<sid>`, and `user:<sid>/key:<sid>` by a key. */
  readonly id: `user:${string}`;
  /** Of a key its owner, who may be an organisation. */
  readonly userSid: string;
  /** Whose wallets they reach besides their own, and as what: organisations by sid. */
  readonly memberships?: ReadonlyMap<string, MemberRole>;
  /** Absent: nobody came from outside. */
  readonly credential?: Credential;
  /** What a key is for; absent: no key. */
  readonly scopes?: readonly KeyScope[];
  /** The operator who looks at what this user sees; absent: it is the user. */
  readonly viewer?: OperatorActor['id'];
}

export interface OperatorActor {
  readonly kind: 'operator';
  readonly id: `admin:${string}` | `operator:${string}`;
  readonly role: OperatorRole;
  /** Null for the holder of an admin secret. */
  readonly userSid: string | null;
  readonly credential?: Credential;
}

/** Who calls. `id` is what audit rows and idempotency scopes carry. */
export type Actor =
  | { readonly kind: 'anonymous'; readonly id: 'anonymous' }
  | UserActor
  | { readonly kind: 'node'; readonly id: `node:${string}`; readonly node: NodeRow }
  | OperatorActor
  | { readonly kind: 'system'; readonly id: `system:${string}` };

/** Who may call: anybody · a signed-in user, for what is theirs, or an operator · a node by its key · a node, for what is its own, or an operator · an operator. */
export type Access = 'anyone' | 'user' | 'node' | 'node_or_operator' | 'operator';

export interface HttpBinding {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** OpenAPI form: `/v1/billings/{sid}`. Fields named in the path come from it; of the rest, GET reads the query, others the body. */
  readonly path: string;
  readonly status: 200 | 201 | 202 | 204;
  /** The field that takes the events of a CloudEvents batch (`application/cloudevents-batch+json`), where such a body is welcome too. */
  readonly cloudEvents?: string;
}

/**
 * One operation, one declaration: the HTTP route, the JSON-RPC method, both API documents, the CLI command, the typed
 * client and the reference page all come from it.
 */
export interface Operation<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> {
  /** `noun.verb`, kebab-case noun: `payment.create`. Also the CLI command (`payment create`). */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly http: HttpBinding;
  /** The JSON-RPC method if it is not `name`: `BillingService.billing_get`. Positional params follow the input's key order. */
  readonly rpcMethod?: string;
  readonly access: Access;
  /** What it asks of an operator's role, where operators may call it; reading asks 'look' unless it says otherwise. */
  readonly right?: Right;
  /** 'always': also who decides about nobody but themselves must have shown lately who they are. */
  readonly proof?: 'always';
  /** Whether an operator whose role does not reach may call it as the user that they are, of themselves. */
  readonly forSelf?: true;
  /** The scope that a user's key needs; null: not for keys. Reading needs 'read' unless it says otherwise, and writing that says nothing is not for keys. */
  readonly scope?: KeyScope | null;
  /** What a member of an organisation must be there; reading is for viewers, and what says nothing for owners. */
  readonly member?: MemberRole;
  /** The one thing that an operator can do who looks as a user: to end it. */
  readonly endsViewing?: true;
  /** 'required': moves money, refuses to run without an Idempotency-Key. 'optional': accepts one. 'none': reads, or is naturally idempotent. */
  readonly idempotency: 'required' | 'optional' | 'none';
  /**
   * Where the first answer to a key is found: 'answers' (the default) is the table that {@link Call.commit} writes; 'ledger'
   * is the posting itself, for operations that post through the lanes and call {@link Call.markReplayed}.
   */
  readonly firstAnswerIn?: 'answers' | 'ledger';
  /** Fields that the command line takes by their place, without a name; those of the path are. They may be left out where the schema says so. */
  readonly byPosition?: readonly string[];
  readonly input: I;
  readonly output: O;
  /** What it may refuse, besides what the transport and the executor refuse for every operation. */
  readonly refusals: readonly RefusalCode[];
  run(call: Call, input: z.output<I>): Promise<z.input<O> | Refusal>;
}

/** What one run of an operation is given. */
export interface Call {
  readonly house: House;
  readonly actor: Actor;
  readonly requestId: string;
  /** Identity of this call: derived from (operation, actor, Idempotency-Key), or from random where no key was sent. Last hex digit 0. */
  readonly idem: string;
  /** Whether the caller sent a key. */
  readonly hasKey: boolean;
  /** Hash of the canonical input: the same key with another fingerprint is refused. */
  readonly fingerprint: string;
  /**
   * The one writing transaction of an operation with an idempotency key. Runs `body`, renders its answer (output or
   * refusal) and stores it under `idem` in the SAME transaction; a second call with the key finds it and answers it byte for
   * byte without running `body`. A refusal keeps what `body` wrote: refuse before writing.
   */
  commit<T>(body: (tx: Tx) => Promise<T | Refusal>): Promise<T | Refusal>;
  /** Says that the answer is the first one again; for operations that recognise their key in the ledger instead of by `commit`. A refusal carries its request id as the first one did. */
  markReplayed(firstRequestId: string | null): void;
}

/** Declares an operation; the types of `run`, and of the client's method, follow from the name and the schemas. */
export function operation<const N extends string, I extends z.ZodObject, O extends z.ZodType>(
  declared: Operation<I, O> & { readonly name: N },
): Operation<I, O> & { readonly name: N } {
  return declared;
}
