import { z } from 'zod';
import { readCodeRow } from '../../store/code.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { codeSchema, noSuchCode, toCode } from './code.ts';

export const codeGet = operation({
  name: 'code.get',
  summary: 'Read one promo code',
  http: { method: 'get', path: '/v1/codes/{sid}', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: codeSchema,
  refusals: ['not_found'],
  async run({ house }, { sid }) {
    const code = await readCodeRow(house.db, sid);
    return code ? toCode(code, house.ports.clock.now()) : noSuchCode();
  },
});
