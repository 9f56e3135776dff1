/** The service that most people write first: one record a request, one transaction a record. Started by `usage.ts` with a database's address. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import process from 'node:process';
import { Pool } from 'pg';
import { micros } from '../src/domain/money.ts';
import { postOne } from './naive.ts';
import { REVENUE } from './server.ts';

const POOL_MAX = 10;
const MICROS_A_CALL = 1_358n;

const pool = new Pool({ connectionString: process.argv[2], max: POOL_MAX });

const server = createServer((call, answer) => {
  let text = '';
  call.setEncoding('utf8');
  call.on('data', (chunk: string) => (text += chunk));
  call.on('end', () => {
    const record = JSON.parse(text) as {
      readonly idempotency_key: string;
      readonly user_sid: string;
      readonly occurred_at: string;
    };
    const hex = createHash('md5').update(record.idempotency_key).digest('hex');
    const idem = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      `${hex.slice(20, 31)}0`,
    ].join('-');
    const posted = postOne(pool, {
      idem,
      fingerprint: idem,
      kind: 'debit',
      legs: [
        { account: BigInt(record.user_sid) * 16n, amount: micros(-MICROS_A_CALL) },
        { account: REVENUE, amount: micros(MICROS_A_CALL) },
      ],
      mayOverdraw: false,
      passesFreeze: false,
      occurredAt: new Date(record.occurred_at),
      about: text,
    });
    const send = (status: number, body: string): void => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      answer.writeHead(status, headers).end(body);
    };
    posted.then(
      () => send(200, '{"outcome":"applied"}'),
      (error: unknown) => send(500, String(error)),
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.once('SIGTERM', () => process.exit(0));
