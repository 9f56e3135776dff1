import { z } from 'zod';
import { operation } from '../operation.ts';
import { leaseKey } from './token.ts';

export const leaseKeys = operation({
  name: 'lease.keys',
  summary: 'Tell the public key by which the tokens of leases are verified',
  description: 'A JSON Web Key Set. Fetch it beforehand and keep it: it is for the time in which we cannot be reached.',
  http: { method: 'get', path: '/.well-known/jwks.json', status: 200 },
  access: 'anyone',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    ),
  }),
  refusals: [],
  run({ house }) {
    return Promise.resolve({ keys: [leaseKey(house.settings)] });
  },
});
