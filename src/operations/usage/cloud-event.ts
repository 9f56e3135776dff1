import { deriveIdem } from '../../domain/idem.ts';

/** What every CloudEvent has (CloudEvents 1.0, section 3.1), and the two that a usage record needs. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id?: unknown;
  readonly source?: unknown;
  readonly time?: unknown;
  readonly data?: unknown;
}

export const isCloudEvent = (sent: unknown): sent is CloudEvent =>
  typeof sent === 'object' && sent !== null && 'specversion' in sent && sent.specversion === '1.0';

/**
 * The record that an event tells, still to be judged by the record's schema.
 *
 * `source` and `id` together name it, as the standard has it; both may be any text, so the key is made of a hash of them. `corrects` in
 * the data is the id of an earlier event of the same source.
 */
export function fromCloudEvent({ source, id, time, data }: CloudEvent): Record<string, unknown> {
  const fields: Record<string, unknown> =
    typeof data === 'object' && data !== null && !Array.isArray(data) ? { ...data } : {};
  if (time !== undefined) fields['occurred_at'] = time;
  if (typeof source !== 'string' || source === '') return fields;
  if (typeof id === 'string' && id !== '') fields['idempotency_key'] = keyOf(source, id);
  const { corrects } = fields;
  if (typeof corrects === 'string' && corrects !== '') fields['corrects'] = keyOf(source, corrects);
  return fields;
}

const keyOf = (source: string, id: string): string => `ce-${deriveIdem(source, id)}`;
