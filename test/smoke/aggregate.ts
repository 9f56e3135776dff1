import {
  aggregate,
  asNode,
  balance,
  counts,
  DESCRIPTION,
  type Item,
  itemsOf,
  outcomes,
  pathOf,
  push,
  quarantine,
  queue,
  record,
  report,
  statement,
} from './aggregate-steps.ts';
import { equal, holds, type Smoke, type SmokeCheck } from './suite.ts';

const first = (smoke: Smoke): Item[] => [
  record(smoke, 'a', 5, { description: DESCRIPTION }),
  record(smoke, 'b', 5, { quantity: '0.5' }),
  record(smoke, 'c', 3),
];

/** Usage from a node's queue through the repository to a charge. Runs against any server that has a Forge. */
export const aggregateSuite: readonly SmokeCheck[] = [
  {
    name: 'a wallet with 10 USD and a node are made',
    async run(smoke) {
      const { walletSid, userSid } = await smoke.openWallet('Smoke: aggregate');
      smoke.keep('wallet', walletSid);
      smoke.keep('user', userSid);
      const run = smoke.keep('run', userSid.toLowerCase());
      await smoke.request('/admin/balance-adjust', { body: { sid: walletSid, balance_cents: 1_000, reason: 'smoke' } });
      const node = await smoke.request('/v1/nodes', { body: { name: smoke.keep('name', `forge-${run}`) } });
      equal(node.status, 201, 'status of POST /v1/nodes');
      smoke.keep('node', node.json['sid']);
      smoke.keep('key', node.json['key']);
    },
  },
  {
    name: 'nobody queues without a key',
    async run(smoke) {
      const answer = await smoke.request('/v1/usage/queue', { body: { records: [{}] }, isOperator: false });
      equal(answer.status, 401, 'the status');
    },
  },
  {
    name: 'an operator does not queue',
    async run(smoke) {
      equal((await smoke.request('/v1/usage/queue', { body: { records: [{}] } })).status, 403, 'the status');
    },
  },
  {
    name: 'a node neither pushes nor aggregates nor looks into the quarantine',
    async run(smoke) {
      const headers = { authorization: `Bearer ${smoke.recall('key')}` };
      const asked = [
        await asNode(smoke, '/admin/push-usage-now', {}),
        await asNode(smoke, '/admin/aggregate-now', {}),
        await smoke.request('/v1/usage/quarantine', { isOperator: false, headers }),
      ];
      equal(
        asked.map(({ status }) => status),
        [403, 403, 403],
        'the statuses',
      );
    },
  },
  {
    name: 'records of two hours are queued',
    run: async (smoke) =>
      equal(outcomes(await queue(smoke, first(smoke))), ['queued', 'queued', 'queued'], 'the outcomes'),
  },
  {
    name: 'queued again they are the same records',
    async run(smoke) {
      const items = itemsOf(await queue(smoke, first(smoke)));
      equal(
        items.map(({ is_repeated }) => is_repeated),
        [true, true, true],
        'is_repeated',
      );
    },
  },
  {
    name: 'the same key with another content is refused',
    async run(smoke) {
      equal(
        outcomes(await queue(smoke, [record(smoke, 'a', 5, { quantity: '2' })])),
        ['idempotency_key_reused'],
        'the outcome',
      );
    },
  },
  {
    name: 'a record that is wrong is refused alone',
    async run(smoke) {
      const sent = [{ nonsense: 1 }, record(smoke, 'd', 3), record(smoke, 'bad', 3, { quantity: '1e3' })];
      equal(outcomes(await queue(smoke, sent)), ['invalid_request', 'queued', 'invalid_request'], 'the outcomes');
    },
  },
  {
    name: 'what lies in the future is not queued',
    run: async (smoke) =>
      equal(outcomes(await queue(smoke, [record(smoke, 'future', -1)])), ['invalid_request'], 'the outcome'),
  },
  {
    name: 'an empty queue call is refused',
    run: async (smoke) => equal((await queue(smoke, [])).status, 400, 'the status'),
  },
  {
    name: 'queueing charges nothing',
    run: async (smoke) => equal(await balance(smoke), '10.00', 'the balance'),
  },
  {
    name: 'a push writes one file an hour, named by node and hour',
    async run(smoke) {
      const files = await push(smoke);
      const [five, three] = [smoke.recall('at a'), smoke.recall('at c')].map((at) => pathOf(smoke, at));
      equal(
        files.map(({ path }) => path),
        [five, three],
        'the paths',
      );
      equal(
        files.map(({ outcome, added }) => [outcome, added]),
        [
          ['written', 2],
          ['written', 2],
        ],
        'what became of them',
      );
    },
  },
  {
    name: 'a second push has nothing to do',
    run: async (smoke) => equal(await push(smoke), [], 'our files'),
  },
  {
    name: 'pushing charges nothing',
    run: async (smoke) => equal(await balance(smoke), '10.00', 'the balance'),
  },
  {
    name: 'the aggregation applies each record',
    run: async (smoke) => equal(counts(await aggregate(smoke)), ['read', 2, 4, 0, 0], 'the folder'),
  },
  {
    name: '3.5 hours of Hero OS cost 0.385 USD',
    run: async (smoke) => equal(await balance(smoke), '9.615', 'the balance'),
  },
  {
    name: 'the statement has the record as it was queued, to the letter and the instant',
    async run(smoke) {
      const line = (await statement(smoke)).find(({ description }) => description === DESCRIPTION);
      equal([line?.['amount'], line?.['occurred_at']], ['-0.11', smoke.recall('at a')], 'amount and instant');
      smoke.keep('entry', line?.['seq']);
    },
  },
  {
    name: 'the charge is explained and proved',
    async run(smoke) {
      const path = `/v1/billings/${smoke.recall('wallet')}/statement/${smoke.recall('entry')}/explanation`;
      const { json } = await smoke.request(path);
      equal([json['charge'], json['is_proved']], ['0.11', true], 'charge and proof');
    },
  },
  {
    name: 'a second aggregation finds nothing new',
    async run(smoke) {
      equal(counts(await aggregate(smoke)), ['unchanged', 0, 0, 0, 0], 'the folder');
      equal(await balance(smoke), '9.615', 'the balance');
    },
  },
  {
    name: 'the same records over HTTP are answered as an earlier time',
    async run(smoke) {
      const items = itemsOf(await report(smoke, first(smoke)));
      equal(
        items.map(({ outcome, is_repeated }) => [outcome, is_repeated]),
        first(smoke).map(() => ['applied', true]),
        'the answers',
      );
      equal(await balance(smoke), '9.615', 'the balance');
    },
  },
  {
    name: 'a record that came over HTTP first is not charged by its file',
    async run(smoke) {
      const sent = record(smoke, 'both', 2);
      equal(outcomes(await report(smoke, [sent])), ['applied'], 'the answer over HTTP');
      await queue(smoke, [sent]);
      await push(smoke);
      equal(counts(await aggregate(smoke)), ['read', 1, 0, 1, 0], 'the folder');
      equal(await balance(smoke), '9.505', 'the balance');
    },
  },
  {
    name: 'a late record is merged into the file of its hour',
    async run(smoke) {
      await queue(smoke, [{ ...record(smoke, 'late', 5), occurred_at: smoke.recall('at a') }]);
      const files = await push(smoke);
      equal(
        files,
        [{ path: pathOf(smoke, smoke.recall('at a')), outcome: 'written', added: 1, conflicts: [], message: null }],
        'our files',
      );
    },
  },
  {
    name: 'of the changed file only the late record is charged',
    async run(smoke) {
      equal(counts(await aggregate(smoke)), ['read', 1, 1, 2, 0], 'the folder');
      equal(await balance(smoke), '9.395', 'the balance');
    },
  },
  {
    name: 'a call and seconds cost through a file what they cost otherwise',
    async run(smoke) {
      const call = {
        applies_to: 'llm',
        resource_kind: 'smoke/model',
        cost: '0.02',
        provider: 'openrouter',
        tokens: { input: 12, output: 3 },
      };
      const queued = await queue(smoke, [
        record(smoke, 'llm', 1, call),
        record(smoke, 's', 1, { quantity: '36', unit: 'second' }),
      ]);
      equal(outcomes(queued), ['queued', 'queued'], 'the answers of the queue');
      await push(smoke);
      equal((await aggregate(smoke))['applied'], 2, 'applied');
      equal(await balance(smoke), '9.3719', 'the balance');
    },
  },
  {
    name: 'what cannot be charged is refused alone, and the others of its file are charged',
    async run(smoke) {
      const nobody = { user_sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' };
      await queue(smoke, [
        record(smoke, 'q1', 6, nobody),
        record(smoke, 'q2', 6, { unit: 'parsec' }),
        record(smoke, 'q3', 6),
      ]);
      await push(smoke);
      equal(counts(await aggregate(smoke)), ['read', 1, 1, 0, 2], 'the folder');
      equal(await balance(smoke), '9.2619', 'the balance');
    },
  },
  {
    name: 'the quarantine says where, which and why',
    async run(smoke) {
      const rows = (await quarantine(smoke)).toSorted(
        (one, other) => Number(one['position']) - Number(other['position']),
      );
      const path = pathOf(smoke, smoke.recall('at q1'));
      const shown = rows.map((row) => [
        row['path'],
        row['position'],
        row['idempotency_key'],
        row['code'],
        row['resolved_at'],
      ]);
      const key = (name: string): string => `${smoke.recall('run')}-${name}`;
      equal(
        shown,
        [
          [path, 1, key('q1'), 'not_found', null],
          [path, 2, key('q2'), 'invalid_request', null],
        ],
        'the rows',
      );
    },
  },
  {
    name: 'reading everything again charges nothing',
    async run(smoke) {
      const folder = await aggregate(smoke, { is_full: true });
      equal([folder['outcome'], folder['applied'], folder['refused']], ['read', 0, 2], 'the folder');
      equal(await balance(smoke), '9.2619', 'the balance');
      equal((await quarantine(smoke)).length, 2, 'rows of the quarantine');
    },
  },
  {
    name: 'a record without a price waits in the quarantine',
    async run(smoke) {
      const category = smoke.keep('category', `smoke_${smoke.recall('run')}`.slice(0, 32));
      const soon = smoke.keep('at priceless', new Date(smoke.now().getTime() + 4 * 60_000).toISOString());
      await queue(smoke, [{ ...record(smoke, 'priceless', 0), applies_to: category, occurred_at: soon }]);
      await push(smoke);
      equal((await aggregate(smoke))['refused'], 1, 'refused');
      equal(
        (await quarantine(smoke)).filter(({ code }) => code === 'state_conflict').length,
        1,
        'rows without a price',
      );
    },
  },
  {
    name: 'once there is a price, reading everything again charges it and resolves the row',
    async run(smoke) {
      const price = {
        category: smoke.recall('category'),
        kind: 'per_unit',
        unit: 'call',
        amount: '0.01',
        // From the very instant of the record: a price cannot begin in the past, and nobody knows how slow the machine is.
        active_from: smoke.recall('at priceless'),
      };
      const made = await smoke.request('/v1/prices', { body: price });
      equal(made.status, 201, `status of POST /v1/prices (${made.text})`);
      equal((await aggregate(smoke, { is_full: true }))['applied'], 1, 'applied');
      equal(await balance(smoke), '9.2519', 'the balance');
      equal(
        (await quarantine(smoke)).map(({ code }) => String(code)).toSorted(),
        ['invalid_request', 'not_found'],
        'what stands',
      );
    },
  },
  {
    name: 'what was resolved can still be seen',
    async run(smoke) {
      const rows = (await quarantine(smoke, '&has_resolved=true')).filter(({ code }) => code === 'state_conflict');
      equal(rows.length, 1, 'rows');
      holds(rows[0]?.['resolved_at'] !== null, 'it has no instant at which it was resolved');
    },
  },
  {
    name: 'a charge that was taken back is not made again',
    async run(smoke) {
      const path = `/v1/billings/${smoke.recall('wallet')}/statement/${smoke.recall('entry')}/void`;
      equal((await smoke.request(path, { body: { reason: 'smoke' } })).json['returned'], '0.11', 'what was returned');
      equal((await aggregate(smoke, { is_full: true }))['applied'], 0, 'applied');
      equal(await balance(smoke), '9.3619', 'the balance');
    },
  },
  {
    name: 'everything that the node has charged is listed as the node’s',
    async run(smoke) {
      const rows = itemsOf(await smoke.request(`/v1/nodes/${smoke.recall('node')}/usage?limit=100`));
      equal(rows.length, 10, 'charges');
    },
  },
  {
    name: 'unknown fields are refused',
    async run(smoke) {
      const asked = [
        await smoke.request('/admin/aggregate-now', { body: { node: 'x' } }),
        await smoke.request('/admin/push-usage-now', { body: { force: true } }),
      ];
      equal(
        asked.map(({ status }) => status),
        [400, 400],
        'the statuses',
      );
    },
  },
  {
    name: 'the folder of a revoked node is not read any more',
    async run(smoke) {
      await queue(smoke, [record(smoke, 'last', 1)]);
      equal((await push(smoke)).length, 1, 'files pushed');
      await smoke.request(`/v1/nodes/${smoke.recall('node')}/revoke`, { body: { reason: 'smoke' } });
      equal(counts(await aggregate(smoke)), ['unknown_node', 0, 0, 0, 0], 'the folder');
      equal(await balance(smoke), '9.3619', 'the balance');
    },
  },
  {
    name: 'a revoked node queues nothing',
    run: async (smoke) => equal((await queue(smoke, [record(smoke, 'after', 1)])).status, 401, 'the status'),
  },
];
