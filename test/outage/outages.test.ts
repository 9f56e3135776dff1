import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantGive } from '../../src/operations/grant/give.ts';
import { releaseVm } from '../../src/operations/allocation/steer.ts';
import { machineSet } from '../../src/operations/machine/set.ts';
import { outageCancel } from '../../src/operations/outage/cancel.ts';
import { outageCreate } from '../../src/operations/outage/create.ts';
import { outageEnd } from '../../src/operations/outage/end.ts';
import { outageGet } from '../../src/operations/outage/get.ts';
import { outageList } from '../../src/operations/outage/list.ts';
import { resumeOutages } from '../../src/operations/outage/settle.ts';
import { sshKeyAdd } from '../../src/operations/ssh-key/add.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { formatDecimal, ZERO } from '../../src/domain/money.ts';
import { PUBLIC_KEY } from '../allocation/public-key.ts';
import { vmStory, type VmStory } from '../allocation/vm-story.ts';
import { DAY_MS, ownerOf } from '../plan/plan-story.ts';

let story: VmStory;
beforeAll(async () => {
  story = await vmStory(9_001);
  await story.machines(6);
});
afterAll(async () => {
  await story.sound();
  await story.close();
});

const machineOf = async (sid: string): Promise<string> => {
  const [row] = await story.database.owner.query<{ sid: string }>(
    {
      name: 'test.machine_of',
      text: 'select machine.sid from machine join allocation on allocation.machine = machine.id where allocation.sid = $1',
    },
    [sid],
  );
  return row?.sid ?? '';
};
const ago = (ms: number): string => new Date(story.ports.clock.now().getTime() - ms).toISOString();
const given = async ({ sid }: WalletRow): Promise<string> =>
  formatDecimal((await readWalletBySid(story.house.db, sid))?.given ?? ZERO);

describe('an outage of a machine', () => {
  it('gives its VM back its share of the plan for the time, once, however it is named', async () => {
    const wallet = await story.renter('vm-5', 10n);
    const vm = await story.vm(wallet);
    const machine = await machineOf(vm.sid);
    await story.ports.clock.advance(2 * DAY_MS);
    const span = { from: ago(DAY_MS), until: ago(0) };
    const preview = await story.operator(outageCreate, {
      machine_sid: machine,
      ...span,
      reason: 'power',
      dry_run: true,
    });
    expect(preview.json).toMatchObject({ outage: null, preview: { returned: '0.066667' } });
    const made = await story.operator(outageCreate, { machine_sid: machine, ...span, reason: 'power' });
    expect(made.status).toBe(201);
    await Promise.all([resumeOutages(story.house), resumeOutages(story.another())]);
    await resumeOutages(story.house);
    // 10 dollars for 30 days of 5 VMs: a day of one is a 150th, rounded up.
    expect(await story.balance(wallet)).toBe('0.066667');
    const again = await story.operator(outageCreate, { allocation_sid: vm.sid, ...span, reason: 'once more' });
    expect(again.status).toBe(201);
    const { sid } = made.json['outage'] as { sid: string };
    expect((await story.operator(outageGet, { sid })).json).toMatchObject({ state: 'done', vms: 1 });
    expect((await story.operator(outageGet, { sid: vm.sid })).status).toBe(404);
    await resumeOutages(story.house);
    expect(await story.balance(wallet)).toBe('0.066667');
    expect(await story.events(wallet)).toContain('outage.credited');
    const { json } = await story.operator(outageList, {});
    expect(json['items']).toMatchObject([
      { subject: 'allocation', state: 'done', vms: 0, returned: '0.00' },
      { subject: 'machine', state: 'done', vms: 1, returned: '0.066667' },
    ]);
  });

  it('reaches who has left a machine that cleans itself and is free again', async () => {
    const wallet = await story.renter('vm-5', 10n);
    const vm = await story.vm(wallet);
    const machine = await machineOf(vm.sid);
    await story.operator(machineSet, { sid: machine, cleans_itself: true });
    await story.ports.clock.advance(DAY_MS);
    expect(await releaseVm(story.house, vm.sid, 'user')).toMatchObject({ state: 'released', machine: null });
    await story.operator(outageCreate, { machine_sid: machine, from: ago(DAY_MS), until: ago(0), reason: 'disk' });
    await resumeOutages(story.house);
    expect(await story.balance(wallet)).toBe('0.066667');
  });

  it('goes on until it is ended, or is cancelled and gives nothing', async () => {
    const wallet = await story.renter('vm-5', 10n);
    const vm = await story.vm(wallet);
    const machine = await machineOf(vm.sid);
    const open = await story.operator(outageCreate, { machine_sid: machine, from: ago(0), reason: 'disk' });
    const { sid } = open.json['outage'] as { sid: string };
    expect((await story.operator(outageCreate, { machine_sid: machine, from: ago(0), reason: 'disk' })).status).toBe(
      409,
    );
    await story.ports.clock.advance(3 * DAY_MS);
    expect((await story.operator(outageEnd, { sid })).status).toBe(200);
    await resumeOutages(story.house);
    expect(await story.balance(wallet)).toBe('0.20');
    const mistaken = await story.operator(outageCreate, { machine_sid: machine, from: ago(0), reason: 'wrong' });
    await story.ports.clock.advance(DAY_MS);
    const { sid: wrong } = mistaken.json['outage'] as { sid: string };
    expect((await story.operator(outageCancel, { sid: wrong, reason: 'another machine' })).status).toBe(200);
    await resumeOutages(story.house);
    expect(await story.balance(wallet)).toBe('0.20');
  });

  it('gives back to the grant what the grant has paid: given credit does not become money', async () => {
    const wallet = await story.wallet(0n);
    const gift = { wallet_sid: wallet.sid, amount: '12.00', kind: 'promo', reason: 'welcome' };
    expect((await story.operator(grantGive, gift)).status).toBe(201);
    await story.buy(wallet);
    expect((await story.call(sshKeyAdd, { public_key: PUBLIC_KEY }, ownerOf(wallet))).status).toBe(201);
    expect([await story.balance(wallet), await given(wallet)]).toEqual(['0.00', '2.00']);
    const vm = await story.vm(wallet);
    await story.ports.clock.advance(2 * DAY_MS);
    const down = { allocation_sid: vm.sid, from: ago(DAY_MS), until: ago(0), reason: 'power' };
    expect((await story.operator(outageCreate, down)).status).toBe(201);
    await resumeOutages(story.house);
    expect([await story.balance(wallet), await given(wallet)]).toEqual(['0.00', '2.066667']);
  });

  it('lies in the past, begins before it ends, and is of something that there is', async () => {
    const machine = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
    expect((await story.operator(outageCreate, { machine_sid: machine, from: ago(0), reason: 'x' })).status).toBe(404);
    const wallet = await story.renter('vm-5', 10n);
    const vm = await story.vm(wallet);
    const of = { allocation_sid: vm.sid, reason: 'x' };
    expect((await story.operator(outageCreate, { ...of, from: ago(-DAY_MS) })).status).toBe(400);
    expect((await story.operator(outageCreate, { ...of, from: ago(0), until: ago(DAY_MS) })).status).toBe(400);
    expect((await story.operator(outageCreate, { reason: 'x', from: ago(0) })).status).toBe(400);
  });

  it('that begins ahead of now is refused under the same key also when that time has come', async () => {
    const vm = await story.vm(await story.renter('vm-5', 10n));
    const input = { allocation_sid: vm.sid, reason: 'x', from: ago(-1_000) };
    const first = await story.operator(outageCreate, input, 'ahead');
    await story.ports.clock.advance(2_000);
    expect(await story.operator(outageCreate, input, 'ahead')).toEqual(first);
    expect(first.status).toBe(400);
    expect((await story.operator(outageCreate, input)).status).toBe(201);
  });
});
