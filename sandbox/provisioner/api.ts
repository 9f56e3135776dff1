import { z } from 'zod';
import type { ProvisionerSandbox, Vm } from './vms.ts';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

const SID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const PAGE_MAX = 100;

const wantedSchema = z.strictObject({
  user_sid: z.string().regex(SID),
  forge_id: z.string().nullable(),
  name: z.string().min(1).max(100),
  size: z.string().min(1).max(64),
  ssh_keys: z.array(z.string().regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/)).max(100),
  expires_at: z.iso.datetime(),
});

/** One request, as the contract in docs/recipes/provisioner.md has it. */
export function answerApi(sandbox: ProvisionerSandbox, request: ApiRequest): ApiAnswer {
  const { method, path, authorization } = request;
  if (authorization !== `Bearer ${sandbox.options.token}`) return no(401, 'unauthorized', 'another token');
  const [, version, noun, sid = '', verb = ''] = path.split('/');
  if (version !== 'v1' || noun !== 'vms') return no(404, 'not_found', 'no such path');
  if (sid === '') return method === 'GET' && sandbox.switches.hasList ? list(sandbox, request.query) : NONE;
  if (!SID.test(sid)) return no(400, 'invalid', 'not the sid of an allocation');
  const known = sandbox.find(sid);
  switch (`${method} ${verb}`) {
    case 'PUT ':
      return create(sandbox, sid, request.body);
    case 'GET ':
      return known === null ? NONE : yes(known);
    case 'DELETE ':
      return yes(known === null ? sandbox.releaseUnknown(sid) : sandbox.release(known));
    case 'POST stop':
      return known === null ? NONE : yes(sandbox.stop(known));
    case 'POST start':
      return known === null ? NONE : yes(sandbox.start(known));
    default:
      return no(405, 'not_allowed', 'no such call');
  }
}

function create(sandbox: ProvisionerSandbox, sid: string, body: string): ApiAnswer {
  const wanted = wantedSchema.safeParse(parse(body));
  if (!wanted.success) return no(422, 'invalid', z.prettifyError(wanted.error));
  const vm = sandbox.make(sid, wanted.data);
  return vm === null ? no(409, 'no_place', 'there is no place of this size') : yes(vm);
}

/** What is there, and not what was taken back; the cursor is how many were shown. */
function list(sandbox: ProvisionerSandbox, query: URLSearchParams): ApiAnswer {
  const shown = Number(query.get('cursor') ?? '0');
  const limit = Math.min(Number(query.get('limit') ?? PAGE_MAX), PAGE_MAX);
  const there = sandbox.all().filter(({ state }) => state !== 'released');
  const items = there.slice(shown, shown + limit).map(toWire);
  const isLast = shown + limit >= there.length;
  return { status: 200, body: { items, next_cursor: isLast ? null : String(shown + limit) } };
}

export const toWire = ({ allocationSid, state, externalRef, host, address, problem }: Vm): object => ({
  allocation_sid: allocationSid,
  state,
  external_ref: externalRef,
  host,
  address: state === 'provisioning' ? null : address,
  problem,
});

const yes = (vm: Vm): ApiAnswer => ({ status: 200, body: toWire(vm) });
const no = (status: number, code: string, message: string): ApiAnswer => ({ status, body: { code, message } });
const NONE: ApiAnswer = no(404, 'not_found', 'there is none');

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
