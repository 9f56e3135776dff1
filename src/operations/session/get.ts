import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import {
  KEY_SCOPES,
  MEMBER_ROLES,
  OPERATOR_ROLES,
  RIGHTS,
  roleHas,
  STEP_UP_MINUTES,
} from '../../domain/identity/role.ts';
import { formatDecimal } from '../../domain/money.ts';
import { listWalletsOf } from '../../store/organisation.ts';
import { IDENTITY_PROVIDERS } from '../../providers/identity-provider.ts';
import { readUser } from '../../store/user.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import { aheadSecondsOf } from '../clock/clock.ts';
import { apartSecondsOf } from '../clock/compare.ts';
import type { House } from '../house.ts';
import { operation, type Actor } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

const sessionUserSchema = z.object({ sid: sidField, display_name: z.string(), wallet_sid: sidField.nullable() });

const sessionWalletSchema = z
  .object({
    wallet_sid: sidField,
    owner_sid: sidField,
    name: z.string(),
    kind: z.enum(['person', 'organisation']),
    role: z.enum(MEMBER_ROLES).describe('What the caller may do with it; of their own everything.'),
  })
  .meta({ id: 'SessionWallet' });

const sessionFactsSchema = z.object({
  sid: sidField,
  expires_at: instant,
  proven_until: instant.describe('Until when money and secrets need no further proof.'),
  form_token: z.string().describe('To be sent as X-Form-Token with what a cookie vouches for.'),
});
const keyFactsSchema = z.object({
  sid: sidField,
  scopes: z.array(z.enum(KEY_SCOPES)),
  expires_at: instant.nullable().describe('Null: it is good until it is revoked.'),
});

type SessionFacts = z.input<typeof sessionFactsSchema>;

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
      clock_ahead_seconds: z.int().describe('How far the clock of a sandbox is ahead of the machine; otherwise 0.'),
      clock_apart_seconds: z
        .int()
        .nullable()
        .describe(
          'For operators: by how much the clock of this server is wrong, as `clock.get` says. Null for others.',
        ),
      role: z.enum(['anonymous', 'user', 'operator', 'node']),
      operator_role: z
        .enum(OPERATOR_ROLES)
        .nullable()
        .describe('What an operator is there for; null for everybody else.'),
      rights: z.array(z.enum(RIGHTS)).describe('What that role allows.'),
      session: sessionFactsSchema.nullable().describe('Null for who called without one.'),
      key: keyFactsSchema.nullable().describe('By which key, for who called with one.'),
      user: sessionUserSchema.nullable(),
      viewed_by: z
        .string()
        .nullable()
        .describe(
          'The operator who sees this account as its user does, as audit rows name them; null: it is the user.',
        ),
      wallets: z
        .array(sessionWalletSchema)
        .describe('What the caller reaches: their own wallet, then those of organisations by name.'),
      sign_in: z
        .array(z.object({ name: z.enum(IDENTITY_PROVIDERS), title: z.string().describe('For a button: "Forge".') }))
        .describe('The providers that people can sign in through: GET /login/<name>/start.'),
      top_up: z.object({ min: signedAmount, max: signedAmount, presets: z.array(signedAmount) }),
      providers: z.array(z.string()).describe('The payment providers that are configured.'),
      refund_self_service: z.boolean().describe('Whether users may ask their own money back.'),
      payment_methods: z
        .array(z.object({ provider: z.string(), title: z.string().describe('For a button: "Mobile money".') }))
        .describe('The same providers as a person chooses between them.'),
      mycelium: z
        .object({
          inbox_url: z.string().nullable().describe("Of a sandbox: where the play nodes' messages are read."),
        })
        .nullable()
        .describe('Sign-in by a Mycelium node; null: it is not set up.'),
      card_providers: z.array(z.string()).describe('Those of them that save cards.'),
    })
    .meta({ id: 'Session' }),
  refusals: [],
  async run({ house, actor }) {
    const role = actor.kind === 'system' ? 'anonymous' : actor.kind;
    const { mode, topUpMin, topUpMax, topUpPresets } = house.settings;
    return {
      mode,
      clock_ahead_seconds: aheadSecondsOf(house),
      clock_apart_seconds: role === 'operator' ? apartSecondsOf(house) : null,
      role,
      operator_role: actor.kind === 'operator' ? actor.role : null,
      rights: actor.kind === 'operator' ? RIGHTS.filter((right) => roleHas(actor.role, right)) : [],
      session: toSession(actor),
      key: toKeyFacts(actor),
      user: await readSessionUser(house, actor),
      viewed_by: actor.kind === 'user' ? (actor.viewer ?? null) : null,
      wallets: await readSessionWallets(house, actor),
      sign_in: [...house.identityProviders.values()].map(({ name, title }) => ({ name, title })),
      top_up: { min: formatDecimal(topUpMin), max: formatDecimal(topUpMax), presets: topUpPresets.map(formatDecimal) },
      providers: [...house.providers.keys()],
      refund_self_service: house.settings.isRefundSelfService,
      payment_methods: [...house.providers.values()].map(({ name, description }) => ({
        provider: name,
        title: description.title,
      })),
      mycelium: house.messenger && { inbox_url: house.messenger.inboxUrl },
      card_providers: [...house.providers.values()].filter(({ cards }) => cards).map(({ name }) => name),
    };
  },
});

function toSession(actor: Actor): SessionFacts | null {
  const credential = actor.kind === 'user' || actor.kind === 'operator' ? actor.credential : undefined;
  if (credential?.kind !== 'session') return null;
  const { sid, provenAt, expiresAt, formToken } = credential;
  assert(provenAt !== null && expiresAt !== null && formToken !== null, 'a session has all of them');
  return {
    sid,
    expires_at: expiresAt.toISOString(),
    proven_until: new Date(provenAt.getTime() + STEP_UP_MINUTES * 60_000).toISOString(),
    form_token: formToken,
  };
}

function toKeyFacts(actor: Actor): z.input<typeof keyFactsSchema> | null {
  if (actor.kind !== 'user' || actor.credential?.kind !== 'key') return null;
  const { sid, expiresAt } = actor.credential;
  return { sid, scopes: [...(actor.scopes ?? [])], expires_at: expiresAt?.toISOString() ?? null };
}

async function readSessionUser(house: House, actor: Actor): Promise<z.input<typeof sessionUserSchema> | null> {
  if ((actor.kind !== 'user' && actor.kind !== 'operator') || actor.userSid === null) return null;
  const user = await readUser(house.db, actor.userSid);
  const wallet = user && (await readWalletByUser(house.db, user.sid));
  return user && { sid: user.sid, display_name: user.displayName, wallet_sid: wallet?.sid ?? null };
}

async function readSessionWallets(house: House, actor: Actor): Promise<z.input<typeof sessionWalletSchema>[]> {
  if (actor.kind !== 'user') return [];
  const wallets = await listWalletsOf(house.db, [actor.userSid, ...(actor.memberships?.keys() ?? [])]);
  return wallets.map(({ walletSid, ownerSid, name, kind }) => ({
    wallet_sid: walletSid,
    owner_sid: ownerSid,
    name,
    kind,
    role: actor.memberships?.get(ownerSid) ?? 'owner',
  }));
}
