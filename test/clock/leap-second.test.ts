import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/operations/execute.ts';
import { fieldsOf, type JsonSchema } from '../../src/operations/json-schema.ts';
import { nodeRegister } from '../../src/operations/node/register.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { readNode } from '../../src/store/node.ts';
import { openStages, OPERATOR, type Stage, type Stages } from './stage.ts';

const LEAP_SECOND = '2026-12-31T23:59:60Z';
const NAMED_FOR_TIME = /(_at|_from|_by_time|^at|^since|^until|^from|^to|^day|^month)$/;

/** Whether a value of it is an instant or a day; schemas of lists and choices are looked into. */
function isTime({ format, anyOf, items }: JsonSchema): boolean {
  if (format === 'date-time' || format === 'date') return true;
  return [...(Array.isArray(anyOf) ? anyOf : []), ...(items === undefined ? [] : [items])].some((one) =>
    isTime(one as JsonSchema),
  );
}

const TIMES = OPERATIONS.flatMap((operation) =>
  fieldsOf(operation)
    .filter(({ name, schema }) => isTime(schema) || (schema['type'] === 'string' && NAMED_FOR_TIME.test(name)))
    .map(({ name }) => ({ operation, field: name })),
);

describe('a leap second in what is sent', () => {
  let stages: Stages;
  let stage: Stage;

  beforeAll(async () => {
    stages = await openStages();
    stage = stages.open();
  });
  afterAll(() => stages.close());

  it('is looked for in more than a dozen fields', () => expect(TIMES.length).toBeGreaterThan(12));

  it('H04 is refused by name in every field that takes an instant or a day, and breaks none', async () => {
    const { house } = stage;
    const registered = await stage.call(nodeRegister, { name: 'leap' });
    const row = await readNode(house.db, String(registered.json['sid']));
    if (row === null) throw new Error('no node');
    const node = { kind: 'node', id: `node:${row.sid}`, node: row } as const;
    const answers = [];
    for (const { operation, field } of TIMES) {
      const reply = await execute(house, operation, {
        actor: operation.access === 'node' ? node : OPERATOR,
        input: { [field]: LEAP_SECOND },
        idempotencyKey: operation.idempotency === 'none' ? null : `leap ${operation.name} ${field}`,
        requestId: house.ports.ids.requestId(),
      });
      const { errors = [] } = JSON.parse(reply.body) as { errors?: { pointer: string }[] };
      const isNamed = errors.some(({ pointer }) => pointer === `#/${field}`);
      answers.push(`${operation.name} ${field} ${reply.status}${isNamed ? ' named' : ''}`);
    }
    expect(answers).toEqual(TIMES.map(({ operation, field }) => `${operation.name} ${field} 400 named`));
  });
});
