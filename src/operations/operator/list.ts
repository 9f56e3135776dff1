import { z } from 'zod';
import { OPERATOR_ROLES, strongestRole, type ListedOperator } from '../../domain/identity/role.ts';
import { listOperators, type OperatorSources } from '../../store/operator-role.ts';
import { operation } from '../operation.ts';
import { instant, sidField } from '../schema.ts';

const roleField = z.enum(OPERATOR_ROLES);

const operatorSchema = z
  .object({
    user_sid: sidField.nullable().describe('Null: the configuration names somebody who has not come yet.'),
    display_name: z.string().nullable(),
    role: roleField.describe('The strongest of those below: what counts.'),
    granted: z
      .object({ role: roleField, by: z.string().describe('As in audit rows.'), at: instant })
      .nullable()
      .describe('What an admin made of them.'),
    listed: z
      .array(z.object({ issuer: z.string(), subject: z.string(), role: roleField }))
      .describe('What the configuration makes of their identities.'),
    claimed: z
      .array(z.object({ issuer: z.string(), subject: z.string(), role: roleField }))
      .describe(
        'What their provider said at the last sign-in; counts for sessions that were opened with that identity.',
      ),
    disabled_at: instant.nullable().describe('Since when they may not come in; null: they may.'),
  })
  .meta({ id: 'Operator' });

export const operatorList = operation({
  name: 'operator.list',
  summary: 'List who is an operator, as what, and by what',
  description: 'Holders of the admin secret are not people, and not in it.',
  http: { method: 'get', path: '/v1/operators', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({ items: z.array(operatorSchema), next_cursor: z.null() }),
  refusals: [],
  async run({ house }) {
    const { operators: listed } = house.settings;
    const known = await listOperators(house.db, listed);
    const items = known.flatMap((sources) => toOperator(sources, listed));
    const unknown = listed.filter(
      (one) => !known.some(({ identities }) => identities.some((identity) => isSame(identity, one))),
    );
    return { items: [...items, ...unknown.map(toExpected)], next_cursor: null };
  },
});

type Item = z.input<typeof operatorSchema>;
interface Named {
  readonly issuer: string;
  readonly subject: string;
}

const isSame = (one: Named, other: Named): boolean => one.issuer === other.issuer && one.subject === other.subject;

function toOperator(sources: OperatorSources, listed: readonly ListedOperator[]): Item[] {
  const { granted, identities } = sources;
  const named = listed.filter((one) => identities.some((identity) => isSame(identity, one)));
  const claimed = identities.flatMap(({ issuer, subject, claimedRole: role }) =>
    role === null ? [] : [{ issuer, subject, role }],
  );
  const role = strongestRole([granted?.role ?? null, ...[...named, ...claimed].map((one) => one.role)]);
  if (role === null) return [];
  return [
    {
      user_sid: sources.userSid,
      display_name: sources.displayName,
      role,
      granted: granted && { role: granted.role, by: granted.grantedBy, at: granted.grantedAt.toISOString() },
      listed: named.map(({ issuer, subject, role: as }) => ({ issuer, subject, role: as })),
      claimed,
      disabled_at: sources.disabledAt?.toISOString() ?? null,
    },
  ];
}

const toExpected = ({ issuer, subject, role }: ListedOperator): Item => ({
  user_sid: null,
  display_name: null,
  role,
  granted: null,
  listed: [{ issuer, subject, role }],
  claimed: [],
  disabled_at: null,
});
