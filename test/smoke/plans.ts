import {
  balance,
  bought,
  buy,
  DAY_MS,
  itemsOf,
  key,
  moveClockTo,
  msOf,
  nameRun,
  offerPlan,
  openRenter,
  planOf,
  refusalOf,
  setBalance,
  subscription,
  withdrawPlans,
  type Item,
} from './renting-steps.ts';
import { equal, eventually, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

const quote = (smoke: Smoke, plan: string): Promise<SmokeAnswer> =>
  smoke.request('/v1/plans/quote', { body: { sid: smoke.recall('renter'), plan: planOf(smoke, plan) } });

const act = (smoke: Smoke, verb: string, body: object = {}): Promise<SmokeAnswer> =>
  smoke.request(`/v1/subscriptions/${smoke.recall('subscription of renter')}/${verb}`, { body, headers: key() });

/** Amounts here have at most six places, so that they add up as whole micro-dollars. */
const microsOf = (amount: unknown): number => Math.round(Number(amount) * 1e6);

const periodsOf = async (smoke: Smoke, name: string): Promise<Item[]> =>
  (await subscription(smoke, name))['periods'] as Item[];

/** From the offer over quote, purchase, change and cancellation to renewals, with the clock of a sandbox. */
export const plans: readonly SmokeCheck[] = [
  {
    name: 'the plans of the beginning: 5 VMs for 10 USD, 10 VMs for 20 USD, for 30 days',
    async run(smoke) {
      for (const [code, vms, price] of [
        ['vm-5', 5, '10.00'],
        ['vm-10', 10, '20.00'],
      ]) {
        const versions = itemsOf(await smoke.request(`/v1/plans?is_all=true&code=${String(code)}&limit=200`));
        const first = versions.find(({ version }) => version === 1);
        equal(
          [first?.['vm_count'], first?.['price'], first?.['period_unit'], first?.['period_count']],
          [vms, price, 'day', 30],
          `what ${String(code)} is`,
        );
      }
    },
  },
  {
    name: 'an operator offers two plans of one day, and nobody else does',
    async run(smoke) {
      nameRun(smoke);
      await offerPlan(smoke, 'small', 2, '3.00');
      await offerPlan(smoke, 'large', 4, '6.00');
      const other = await smoke.request('/v1/plans', { body: {}, isOperator: false });
      equal(other.status, 401, 'status of somebody’s offer');
      const [listed] = itemsOf(await smoke.request(`/v1/plans?code=${planOf(smoke, 'small')}`));
      equal([listed?.['price'], listed?.['vm_count'], listed?.['is_for_sale']], ['3.00', 2, true], 'what is for sale');
    },
  },
  {
    name: 'a quote says what is missing, and writes nothing',
    async run(smoke) {
      await openRenter(smoke, 'renter', 0);
      const { status, json } = await quote(smoke, 'small');
      equal(
        [status, json['kind'], json['total'], json['suffices'], json['missing']],
        [200, 'buy', '3.00', false, '3.00'],
        'the quote',
      );
      equal((await smoke.billing(smoke.recall('renter')))['current_plan_id'], null, 'the plan after it');
    },
  },
  {
    name: 'without money nothing is bought',
    async run(smoke) {
      const answer = await buy(smoke, 'renter', 'small');
      equal(refusalOf(answer), [402, 'insufficient_balance'], 'the refusal');
      equal(await balance(smoke, 'renter'), '0.00', 'the balance');
    },
  },
  {
    name: 'a purchase takes an Idempotency-Key, and a plan that there is',
    async run(smoke) {
      await setBalance(smoke, 'renter', 2_000);
      const body = { sid: smoke.recall('renter'), plan: planOf(smoke, 'small') };
      equal((await smoke.request('/plan/buy', { body })).status, 400, 'status without a key');
      equal(refusalOf(await buy(smoke, 'renter', 'none')), [404, 'not_found'], 'the refusal of a plan that is not');
    },
  },
  {
    name: 'what was quoted is paid, once, however often it is sent',
    async run(smoke) {
      const token = smoke.keep('token', (await quote(smoke, 'small')).json['token']);
      const headers = key();
      const first = await buy(smoke, 'renter', 'small', { quote: token }, headers);
      equal([first.status, first.json['paid'], first.json['credit_balance']], [201, '3.00', '17.00'], 'the purchase');
      smoke.keep('subscription of renter', (first.json['subscription'] as Item)['sid']);
      const again = await buy(smoke, 'renter', 'small', { quote: token }, headers);
      equal([again.status, again.text], [201, first.text], 'the second answer');
      equal(again.headers.get('idempotency-hit'), 'true', 'Idempotency-Hit');
      equal(await balance(smoke, 'renter'), '17.00', 'the balance');
    },
  },
  {
    name: 'the wallet shows its plan, its quota and until when',
    async run(smoke) {
      const billing = await smoke.billing(smoke.recall('renter'));
      const { period_starts_at: from, period_ends_at: until } = await subscription(smoke, 'renter');
      equal(
        [billing['current_plan_id'], billing['vm_quota_total'], billing['vm_quota_used']],
        [planOf(smoke, 'small'), 2, 0],
        'plan and quota',
      );
      equal(billing['vm_quota_period_end'], until, 'vm_quota_period_end');
      equal(msOf(until) - msOf(from), DAY_MS, 'the milliseconds of the period');
    },
  },
  {
    name: 'a wallet has one plan at a time',
    run: async (smoke) =>
      equal(refusalOf(await buy(smoke, 'renter', 'large')), [409, 'state_conflict'], 'the refusal of a second plan'),
  },
  {
    name: 'a larger plan is quoted line by line',
    async run(smoke) {
      const { json } = await quote(smoke, 'large');
      const lines = json['lines'] as Item[];
      equal([json['kind'], lines.map(({ what }) => what)], ['change_at_once', ['unused', 'rest']], 'kind and lines');
      const sum = lines.reduce((total, { amount }) => total + microsOf(amount), 0);
      equal(sum, microsOf(json['total']), 'the sum of the lines');
      holds(sum > 0 && sum <= 3_000_000, `what it costs is ${String(json['total'])}`);
      smoke.keep('change', json['token']);
      smoke.keep('total', json['total']);
    },
  },
  {
    name: 'it is had at once for what was quoted, and its period ends when it would have',
    async run(smoke) {
      const before = await subscription(smoke, 'renter');
      const asked = { plan: planOf(smoke, 'large'), quote: smoke.recall('change') };
      const answer = await act(smoke, 'change', asked);
      equal([answer.status, answer.json['kind']], [200, 'at_once'], `status and kind (${answer.text})`);
      equal(answer.json['paid'], smoke.recall('total'), 'what was paid');
      const after = await subscription(smoke, 'renter');
      equal([after['vm_total'], after['period_ends_at']], [4, before['period_ends_at']], 'VMs and end');
    },
  },
  {
    name: 'a quote does not hold for another part of the period',
    async run(smoke) {
      const asked = { plan: planOf(smoke, 'small'), quote: smoke.recall('change') };
      equal(refusalOf(await act(smoke, 'change', asked)), [409, 'quote_changed'], 'the refusal');
    },
  },
  {
    name: 'a smaller plan waits for the end, and can be taken back',
    async run(smoke) {
      const down = await act(smoke, 'change', { plan: planOf(smoke, 'small') });
      const waiting = down.json['subscription'] as Item;
      equal(
        [down.json['kind'], down.json['paid'], waiting['next_plan'], waiting['vm_total']],
        ['at_period_end', '0.00', planOf(smoke, 'small'), 4],
        'the answer',
      );
      const kept = await act(smoke, 'change', { plan: planOf(smoke, 'large') });
      equal((kept.json['subscription'] as Item)['next_plan'], null, 'the next plan');
      await act(smoke, 'change', { plan: planOf(smoke, 'small') });
    },
  },
  {
    name: 'who cancels can resume until the period ends',
    async run(smoke) {
      equal((await act(smoke, 'cancel')).json['is_renewing'], false, 'is_renewing after cancel');
      equal((await act(smoke, 'resume')).json['is_renewing'], true, 'is_renewing after resume');
      // A cancellation forgets what was to come.
      await act(smoke, 'change', { plan: planOf(smoke, 'small') });
    },
  },
  {
    name: 'at its end it renews by itself, dated by the very instant, with the plan that waited',
    async run(smoke) {
      await openRenter(smoke, 'poor', 400);
      await bought(smoke, 'poor', 'small');
      await openRenter(smoke, 'leaving', 400);
      await bought(smoke, 'leaving', 'small', { is_renewing: false });
      const before = await subscription(smoke, 'renter');
      smoke.keep('paid until', before['period_ends_at']);
      smoke.keep('before renewal', await balance(smoke, 'renter'));
      // Past the end of all three.
      await moveClockTo(smoke, msOf((await subscription(smoke, 'leaving'))['period_ends_at']) + 60_000);
      const after = await subscription(smoke, 'renter');
      const [period] = after['periods'] as Item[];
      equal(
        [after['state'], after['plan'], after['period_number'], period?.['starts_at'], period?.['paid']],
        ['active', planOf(smoke, 'small'), 1, before['period_ends_at'], '3.00'],
        'what it is',
      );
    },
  },
  {
    name: 'the renewal is one line of the statement, of that instant',
    async run(smoke) {
      const lines = itemsOf(await smoke.request(`/v1/billings/${smoke.recall('renter')}/statement`)).filter(
        ({ kind, occurred_at: at }) => kind === 'plan' && at === smoke.recall('paid until'),
      );
      equal(
        lines.map(({ amount }) => amount),
        ['-3.00'],
        'the amounts',
      );
      const paid = microsOf(smoke.recall('before renewal')) - microsOf(await balance(smoke, 'renter'));
      equal(paid, 3_000_000, 'what it cost in micro-dollars');
    },
  },
  {
    name: 'a wallet that cannot pay is past due since the end, and keeps its plan',
    async run(smoke) {
      const poor = await subscription(smoke, 'poor');
      const [first] = poor['periods'] as Item[];
      equal(
        [poor['state'], poor['due'], poor['past_due_since']],
        ['past_due', '3.00', first?.['ends_at']],
        'how it stands',
      );
      equal(await balance(smoke, 'poor'), '1.00', 'the balance');
    },
  },
  {
    name: 'as soon as there is money it is paid, from the end of the period before',
    async run(smoke) {
      await setBalance(smoke, 'poor', 500);
      const paid = await eventually(
        'the period is paid',
        () => subscription(smoke, 'poor'),
        ({ state }) => state === 'active',
      );
      const [second, first] = paid['periods'] as Item[];
      equal([second?.['starts_at'], second?.['paid']], [first?.['ends_at'], '3.00'], 'the second period');
      equal(await balance(smoke, 'poor'), '2.00', 'the balance');
    },
  },
  {
    name: 'a plan that does not renew has ended, and the wallet has none',
    async run(smoke) {
      const left = await subscription(smoke, 'leaving');
      equal([left['state'], left['end_reason']], ['ended', 'cancelled'], 'how it stands');
      equal((await periodsOf(smoke, 'leaving')).length, 1, 'the number of periods');
      const billing = await smoke.billing(smoke.recall('leaving'));
      equal([billing['current_plan_id'], billing['credit_balance']], [null, '1.00'], 'plan and balance');
    },
  },
  {
    name: 'an operator ends plans at once, and sells them no more',
    async run(smoke) {
      for (const name of ['renter', 'poor']) {
        const path = `/v1/subscriptions/${smoke.recall(`subscription of ${name}`)}/end`;
        const { json } = await smoke.request(path, { body: { reason: 'smoke' } });
        equal([json['state'], json['end_reason']], ['ended', 'operator'], `how that of ${name} stands`);
      }
      await withdrawPlans(smoke, ['small', 'large']);
      await setBalance(smoke, 'leaving', 1_000);
      equal(
        refusalOf(await buy(smoke, 'leaving', 'small')),
        [409, 'state_conflict'],
        'the refusal of what is not sold',
      );
    },
  },
];
