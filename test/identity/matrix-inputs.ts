import { fieldsOf } from '../../src/operations/json-schema.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { RECHARGE_CONSENT_VERSION } from '../../src/domain/card/consent.ts';
import { PUBLIC_KEY } from '../allocation/public-key.ts';
import { ABSENT, CODE, type Belongings } from './matrix-stage.ts';

/** Whose sid a path asks for; what nobody but operators reaches is asked for with a sid of nothing. */
const SID_BY_PATH: readonly (readonly [start: string, field: string])[] = [
  ['/v1/users/', 'user_sid'],
  ['/v1/operators/', 'user_sid'],
  ['/v1/billings/', 'wallet_sid'],
  ['/admin/balance-adjust', 'wallet_sid'],
  ['/v1/holds/', 'hold_sid'],
  ['/v1/leases/', 'lease_sid'],
  ['/v1/payments/', 'payment_sid'],
  ['/v1/refunds/', 'refund_sid'],
  ['/v1/receipts/', 'receipt_sid'],
  ['/v1/disputes/', 'dispute_sid'],
  ['/v1/endpoints/', 'endpoint_sid'],
  ['/v1/deliveries/', 'delivery_sid'],
  ['/v1/nodes/', 'node_sid'],
  ['/v1/keys/', 'key_sid'],
  ['/v1/organisations/', 'organisation_sid'],
  ['/plan/buy', 'wallet_sid'],
  ['/v1/plans/quote', 'wallet_sid'],
  ['/v1/subscriptions/', 'subscription_sid'],
  ['/v1/allocations/', 'allocation_sid'],
  ['/v1/ssh-keys/', 'ssh_key_sid'],
];

/** What else a field may hold, so that nothing but who asks is wrong. */
const VALUES: Readonly<Record<string, unknown>> = {
  amount: '1.00',
  balance_cents: 100,
  description: 'x',
  reason: 'x',
  name: 'x',
  is_frozen: true,
  category: 'hero_os_hourly',
  provider: 'paper',
  card_ref: 'card_1',
  id: '00000000-0000-4000-8000-000000000000',
  statement: 'x',
  plan: 'vm-10',
  code: 'vm-5',
  // In good order, and nobody's.
  token: 'A'.repeat(43),
};

type Field = ReturnType<typeof fieldsOf>[number];
const known = new Map<Operation, readonly Field[]>();

/** Schemas are read once: it takes longer than a call. */
function fieldsIn(operation: Operation): readonly Field[] {
  const fields = known.get(operation) ?? fieldsOf(operation);
  known.set(operation, fields);
  return fields;
}

const RECORD = { idempotency_key: 'matrix', applies_to: 'hero_os_hourly', resource_kind: 'small', quantity: '1' };

/** Where the name of a field does not say enough. */
const SPECIAL: Readonly<Record<string, (of: Belongings) => Record<string, unknown>>> = {
  'auto-recharge.set': () => ({
    threshold: '5.00',
    target: '25.00',
    monthly_cap: '100.00',
    agrees_to: RECHARGE_CONSENT_VERSION,
  }),
  'code.create': () => ({ description: 'x', amount: '1.00', uses_max: 1 }),
  'code.redeem': () => ({ code: CODE }),
  'correction.create': () => ({ kind: 'void', reason: 'x', category: 'llm', dry_run: true }),
  'endpoint.create': () => ({ url: 'http://127.0.0.1:9/', description: 'x' }),
  'gap-policy.set': () => ({ category: 'llm', policy: 'ignore' }),
  'ladder.set': () => ({ category: 'llm', rungs: [] }),
  'model-price.create': () => ({ provider: 'x', model: 'x', input: '1', output: '1' }),
  'invitation.create': () => ({ role: 'viewer' }),
  'notice.set': () => ({ quiet_hours: null }),
  'standing.extend': () => ({ until: '2026-04-01T00:00:00Z', reason: 'x' }),
  'operator.grant': () => ({ role: 'support' }),
  'node.give-up-gaps': () => ({ category: 'llm', up_to: 1, reason: 'x' }),
  'machine.add': () => ({ machines: [{ host: 'x', address: 'matrix.example.org', size: 'small' }] }),
  'outage.create': (of) => ({ host: of.user_sid, from: '2026-03-01T12:00:00Z', reason: 'x', dry_run: true }),
  'ssh-key.add': () => ({ public_key: PUBLIC_KEY }),
  'plan.create': () => ({ code: 'matrix', price: '1.00', vm_count: 1, vm_size: 'small' }),
  'price.create': () => ({ category: 'vm', kind: 'per_unit', unit: 'hour', amount: '1' }),
  'payment.create': () => ({ provider: 'stripe', amount: '25.00' }),
  'usage.record': (of) => ({ records: [{ ...RECORD, user_sid: of.user_sid, occurred_at: '2026-03-01T12:00:00Z' }] }),
  'usage.record-one': (of) => ({ ...RECORD, user_sid: of.user_sid, occurred_at: '2026-03-01T12:00:00Z' }),
  'usage.queue': (of) => ({ records: [{ ...RECORD, user_sid: of.user_sid, occurred_at: '2026-03-01T12:00:00Z' }] }),
};

/** Operators' choices among all there is: their sids narrow it, and say nothing of whose it is. */
const CHOSEN: ReadonlySet<string> = new Set(['correction.create', 'outage.create', 'usage.list-quarantine']);

/** Whether it matters whose things the operation is asked about. */
export const hasTarget = (operation: Operation): boolean =>
  targetFields(operation).length > 0 || operation.name.startsWith('usage.record');

/** The fields that name something somebody has, in the order of the path and then of the input. */
export function targetFields(operation: Operation): string[] {
  return fieldsIn(operation)
    .filter(
      ({ name, isRequired }) => belongingOf(operation, name) !== null && (isRequired || !CHOSEN.has(operation.name)),
    )
    .map(({ name }) => name);
}

/** The input that asks about what `of` has; with `mixed`, all but the first of it is another's. */
export function inputFor(operation: Operation, of: Belongings, mixed: Belongings = of): Record<string, unknown> {
  const input: Record<string, unknown> = { ...SPECIAL[operation.name]?.(of) };
  const targets = targetFields(operation);
  for (const { name, isRequired } of fieldsIn(operation)) {
    const belonging = targets.includes(name) ? belongingOf(operation, name) : null;
    if (belonging !== null) input[name] = (name === targets[0] || name === 'seq' ? of : mixed)[belonging] ?? ABSENT;
    else if (isRequired && input[name] === undefined) input[name] = valueOf(operation, name);
  }
  return input;
}

const BELONGINGS = new Set([
  ...SID_BY_PATH.map(([, field]) => field),
  'session_sid',
  'identity_sid',
  'invitation_sid',
  'seq',
]);

function belongingOf({ http }: Operation, field: string): string | null {
  if (field === 'seq') return http.path.includes('{seq}') ? 'seq' : null;
  if (field === 'owner_sid') return 'user_sid';
  // Whom something is done with in an organisation is a member of it.
  if (field === 'user_sid' && http.path.startsWith('/v1/organisations/')) return 'member_sid';
  if (field !== 'sid') return BELONGINGS.has(field) ? field : null;
  return SID_BY_PATH.find(([start]) => http.path.startsWith(start))?.[1] ?? 'nothing';
}

function valueOf({ name: operation }: Operation, field: string): unknown {
  if (Object.hasOwn(VALUES, field)) return VALUES[field];
  throw new Error(`matrix-inputs.ts has no value for the field ${field} of ${operation}`);
}
