import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { readUser } from '../../store/user.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import type { House } from '../house.ts';
import { operation, type Actor } from '../operation.ts';
import { sidField, signedAmount } from '../schema.ts';

const sessionUserSchema = z.object({ sid: sidField, display_name: z.string(), wallet_sid: sidField.nullable() });

export const sessionGet = operation({
  name: 'session.get',
  summary: 'Say who calls and what this service offers',
  http: { method: 'get', path: '/v1/session', status: 200 },
  access: 'anyone',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z
    .object({
      mode: z.enum(['sandbox', 'test', 'production']),
      role: z.enum(['anonymous', 'user', 'operator', 'node']),
      user: sessionUserSchema.nullable(),
      top_up: z.object({ min: signedAmount, max: signedAmount, presets: z.array(signedAmount) }),
      providers: z.array(z.string()).describe('The payment providers that are configured.'),
      refund_self_service: z.boolean().describe('Whether users may ask their own money back.'),
      payment_methods: z
        .array(z.object({ provider: z.string(), title: z.string().describe('For a button: "Mobile money".') }))
        .describe('The same providers as a person chooses between them.'),
      card_providers: z.array(z.string()).describe('Those of them that save cards.'),
    })
    .meta({ id: 'Session' }),
  refusals: [],
  async run({ house, actor }) {
    const role = actor.kind === 'system' ? 'anonymous' : actor.kind;
    const { mode, topUpMin, topUpMax, topUpPresets } = house.settings;
    return {
      mode,
      role,
      user: await readSessionUser(house, actor),
      top_up: { min: formatDecimal(topUpMin), max: formatDecimal(topUpMax), presets: topUpPresets.map(formatDecimal) },
      providers: [...house.providers.keys()],
      refund_self_service: house.settings.isRefundSelfService,
      payment_methods: [...house.providers.values()].map(({ name, description }) => ({
        provider: name,
        title: description.title,
      })),
      card_providers: [...house.providers.values()].filter(({ cards }) => cards).map(({ name }) => name),
    };
  },
});

async function readSessionUser(house: House, actor: Actor): Promise<z.input<typeof sessionUserSchema> | null> {
  if (actor.kind !== 'user') return null;
  const user = await readUser(house.db, actor.userSid);
  const wallet = user && (await readWalletByUser(house.db, user.sid));
  return user && { sid: user.sid, display_name: user.displayName, wallet_sid: wallet?.sid ?? null };
}
