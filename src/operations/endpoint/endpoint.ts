import { z } from 'zod';
import { judgeEndpointUrl, ENDPOINT_URL_MAX } from '../../domain/event/endpoint-url.ts';
import type { ReachRules } from '../../domain/event/address.ts';
import { EVENT_TYPE_NAMES } from '../../domain/event/types.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { ENDPOINT_STATES, lockEndpoint, readEndpoint, type EndpointRow } from '../../store/endpoint.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField, textField } from '../schema.ts';
import { maySee } from '../visible.ts';

/** Where events are sent, as its owner sees it. The secret is told once, by the answer that makes it. */
export const endpointSchema = z
  .object({
    sid: sidField,
    user_sid: sidField.nullable().describe('Whose events it is told of; null: an operator’s, told of all.'),
    url: z.string(),
    description: z.string(),
    types: z.array(z.enum(EVENT_TYPE_NAMES)).describe('What it is told of; empty: everything.'),
    state: z.enum(ENDPOINT_STATES),
    reason: z
      .string()
      .nullable()
      .describe('Why it is told nothing: asked, gone (it answered 410), failing (for five days), removed.'),
    previous_secret_until: instant
      .nullable()
      .describe('Until when deliveries carry the signature of the old secret too.'),
    failing_since: instant.nullable(),
    not_before: instant.nullable().describe('It asked to be left alone until then.'),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'Endpoint' });

export const endpointWithSecretSchema = z
  .object({ ...endpointSchema.shape, secret: z.string().describe('Verifies deliveries. Told this once.') })
  .meta({ id: 'EndpointWithSecret' });

export function toEndpoint(row: EndpointRow): z.input<typeof endpointSchema> {
  return {
    sid: row.sid,
    user_sid: row.userSid,
    url: row.url,
    description: row.description,
    types: [...row.types],
    state: row.state,
    reason: row.reason,
    previous_secret_until: row.previousUntil?.toISOString() ?? null,
    failing_since: row.failingSince?.toISOString() ?? null,
    not_before: row.notBefore?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

export const urlField = z.string().min(1).max(ENDPOINT_URL_MAX).describe('https, a host of the public internet.');
export const typesField = z
  .array(z.enum(EVENT_TYPE_NAMES))
  .max(EVENT_TYPE_NAMES.length)
  .describe('The types to be told of; empty: all, also those that come later.');
export const descriptionField = textField(200).describe('What it is for.');

/** Where the house may send to. This machine itself only in sandbox mode, for trying things out. */
export const reachRules = ({ settings }: Pick<House, 'settings'>): ReachRules => ({
  mayLoopBack: settings.mode === 'sandbox',
  allowed: settings.endpointNetworks,
});

/** The address as it will be called. */
export function checkUrl(house: House, text: string): string | Refusal {
  const judged = judgeEndpointUrl(text, reachRules(house));
  if ('url' in judged) return judged.url;
  return refuse('invalid_request', `Events cannot be sent there: url ${judged.problem}.`, {
    errors: [{ pointer: '#/url', detail: judged.problem }],
  });
}

/** An endpoint that the actor may see, locked for a change. What is not theirs answers exactly as what is not there. */
export async function ownEndpoint(
  tx: Tx,
  actor: Actor,
  sid: string,
  reading: 'lock' | 'look',
): Promise<EndpointRow | Refusal> {
  const row = reading === 'lock' ? await lockEndpoint(tx, sid) : await readEndpoint(tx, sid);
  const isTheirs = row !== null && row.state !== 'removed' && maySee(actor, row.userSid ?? '');
  return isTheirs ? row : refuse('not_found', 'There is no endpoint with this sid.');
}
