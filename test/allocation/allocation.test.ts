import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { allocationAutoRelease } from '../../src/operations/allocation/auto-release.ts';
import { checkAllocations } from '../../src/operations/allocation/check.ts';
import { allocationCreate } from '../../src/operations/allocation/create.ts';
import { allocationGet } from '../../src/operations/allocation/get.ts';
import { allocationLastAutoRelease } from '../../src/operations/allocation/last-auto-release.ts';
import { allocationList } from '../../src/operations/allocation/list.ts';
import { allocationRelease } from '../../src/operations/allocation/release.ts';
import { releaseExpired } from '../../src/operations/allocation/release-expired.ts';
import { allocationSet } from '../../src/operations/allocation/set.ts';
import { resumeVm, suspendVm } from '../../src/operations/allocation/steer.ts';
import { machineConfirmClean } from '../../src/operations/machine/confirm-clean.ts';
import { machineList } from '../../src/operations/machine/list.ts';
import { machineRemove } from '../../src/operations/machine/remove.ts';
import { machineSet } from '../../src/operations/machine/set.ts';
import { subscriptionCancel } from '../../src/operations/subscription/cancel.ts';
import { subscriptionEnd } from '../../src/operations/subscription/end-now.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { ProviderFailure } from '../../src/providers/provider.ts';
import type { Provisioner } from '../../src/providers/provisioner.ts';
import { readOpenSubscription } from '../../src/store/subscription.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { ownerOf } from '../plan/plan-story.ts';
import { PUBLIC_KEY } from './public-key.ts';
import { vmStory, type VmStory } from './vm-story.ts';

let told: VmStory;
beforeAll(async () => {
  told = await vmStory(21);
});
afterEach(() => told.sound());
afterAll(() => told.close());

const codeOf = (answer: { readonly json: Record<string, unknown> }): unknown => answer.json['code'];
const list = async (wallet: WalletRow, more = {}): Promise<unknown[]> => {
  const { json } = await told.call(allocationList, more, ownerOf(wallet));
  return (json['items'] as { state: string }[]).map(({ state }) => state);
};

describe('a VM of a plan', () => {
  it('is given with its address, its user’s keys and the end of what is paid, and is told', async () => {
    const [machine] = await told.machines(1);
    const wallet = await told.renter();
    const answer = await told.ask(wallet, 'web', 'first');
    const subscription = await readOpenSubscription(told.database.db, wallet.id);
    expect(answer).toMatchObject({
      status: 201,
      json: {
        state: 'active',
        wanted: 'running',
        name: 'web',
        external_ref: machine,
        ssh_keys: [PUBLIC_KEY.split(' ').slice(0, 2).join(' ')],
        expires_at: subscription?.periodEndsAt.toISOString(),
        wallet_sid: wallet.sid,
        problem: null,
      },
    });
    expect(await told.ask(wallet, 'web', 'first')).toEqual(answer);
    expect(codeOf(await told.ask(wallet, 'other', 'first'))).toBe('idempotency_key_reused');
    expect(await told.call(allocationGet, { sid: answer.json['sid'] }, ownerOf(wallet))).toEqual({
      ...answer,
      status: 200,
    });
    expect(await told.events(wallet)).toContain('vm.allocated');
    const machines = await told.operator(machineList, {});
    expect((machines.json['items'] as unknown[])[0]).toMatchObject({
      sid: machine,
      state: 'allocated',
      allocation: { name: 'web', user_sid: wallet.userSid, ssh_keys: [expect.stringMatching(/^ssh-ed25519 /)] },
    });
  });

  it('is nobody else’s: who is not of the wallet sees none', async () => {
    await told.machines(1);
    const [wallet, stranger] = [await told.renter(), await told.renter()];
    const { sid } = await told.vm(wallet);
    for (const operation of [allocationGet, allocationRelease, allocationSet])
      expect((await told.call(operation, { sid }, ownerOf(stranger))).status).toBe(404);
    const other = await told.call(allocationCreate, { name: 'web', wallet_sid: wallet.sid }, ownerOf(stranger));
    expect(other.status).toBe(404);
    expect(await list(stranger)).toEqual([]);
    expect((await told.row(sid)).state).toBe('active');
  });

  it('is refused without a plan, without a key to reach it, and without a place; then nothing is taken', async () => {
    const wallet = await told.wallet(50n);
    const bare = await told.call(allocationCreate, { name: 'web', ssh_key_sids: [] }, ownerOf(wallet));
    expect([bare.status, codeOf(bare)]).toEqual([409, 'no_plan']);
    await told.buy(wallet);
    expect(codeOf(await told.ask(wallet))).toBe('state_conflict');
    const unknown = { name: 'web', ssh_key_sids: ['01ARZ3NDEKTSV4RRFFQ69G5FZZ'] };
    expect((await told.call(allocationCreate, unknown, ownerOf(wallet))).status).toBe(404);
    const renter = await told.renter();
    const full = await told.ask(renter, 'web', 'full');
    expect([full.status, codeOf(full)]).toEqual([409, 'pool_empty']);
    expect(await told.balance(renter)).toBe('40.00');
    expect(await list(renter)).toEqual(['failed']);
    await told.machines(1);
    // A key that was refused stays refused; another one is another wish.
    expect(codeOf(await told.ask(renter, 'web', 'full'))).toBe('pool_empty');
    expect((await told.ask(renter, 'web', 'again')).status).toBe(201);
  });

  it('is refused when all of the plan are in use, and says how many those are', async () => {
    await told.machines(5);
    const wallet = await told.renter();
    for (let number = 1; number <= 5; number += 1) await told.vm(wallet, `vm-${number}`);
    await told.machines(1);
    const refused = await told.ask(wallet);
    expect([refused.status, codeOf(refused), refused.json['details']]).toEqual([
      409,
      'quota_reached',
      { plan: 'vm-5', vm_quota_total: 5, vm_quota_used: 5 },
    ]);
  });

  it('is renamed and put into an order by its owner', async () => {
    const wallet = await told.renter();
    const { sid } = await told.vm(wallet);
    const set = await told.call(allocationSet, { sid, name: 'db', stop_order: 7 }, ownerOf(wallet));
    expect(set.json).toMatchObject({ name: 'db', stop_order: 7, state: 'active' });
    expect((await told.call(allocationSet, { sid, name: 'No name' }, ownerOf(wallet))).status).toBe(400);
  });
});

describe('a VM that is given back', () => {
  it('keeps its place until the machine is confirmed clean, and then the next one is on it', async () => {
    const [machine = ''] = await told.machines(1);
    const [wallet, next] = [await told.renter(), await told.renter()];
    const { sid } = await told.vm(wallet);
    const released = await told.call(allocationRelease, { sid }, ownerOf(wallet));
    expect(released.json).toMatchObject({ state: 'releasing', release_reason: 'user' });
    expect((await told.call(allocationRelease, { sid }, ownerOf(wallet))).json['state']).toBe('releasing');
    expect(codeOf(await told.ask(next))).toBe('pool_empty');
    expect((await told.operator(machineRemove, { sid: machine })).status).toBe(409);
    const clean = await told.operator(machineConfirmClean, { sid: machine });
    expect(clean.json).toMatchObject({ state: 'free', allocation: null });
    expect((await told.operator(machineConfirmClean, { sid: machine })).status).toBe(200);
    expect(await told.row(sid)).toMatchObject({ state: 'released', checkAt: null });
    expect(await told.events(wallet)).toEqual(expect.arrayContaining(['vm.allocated', 'vm.released']));
    expect((await told.vm(next)).externalRef).toBe(machine);
    expect((await told.operator(machineConfirmClean, { sid: machine })).status).toBe(409);
    expect((await told.row(sid)).state).toBe('released');
  });

  it('is gone at once where the operator has said that the machine cleans itself', async () => {
    const [machine] = await told.machines(1, { cleans_itself: true });
    const [wallet, next] = [await told.renter(), await told.renter()];
    const { sid } = await told.vm(wallet);
    expect((await told.call(allocationRelease, { sid }, ownerOf(wallet))).json['state']).toBe('released');
    expect((await told.vm(next)).externalRef).toBe(machine);
  });

  it('leaves a draining machine to nobody', async () => {
    const [machine = ''] = await told.machines(1, { cleans_itself: true });
    const wallet = await told.renter();
    const { sid } = await told.vm(wallet);
    await told.operator(machineSet, { sid: machine, is_draining: true, labels: { rack: 'b2' } });
    await told.call(allocationRelease, { sid }, ownerOf(wallet));
    expect(codeOf(await told.ask(wallet))).toBe('pool_empty');
    expect((await told.operator(machineRemove, { sid: machine })).json).toMatchObject({
      state: 'removed',
      labels: { rack: 'b2' },
    });
    expect((await told.operator(machineSet, { sid: machine, is_draining: false })).status).toBe(409);
  });
});

describe('a VM is stopped and runs again', () => {
  it('twice each, and what was wanted last counts', async () => {
    const [machine] = await told.machines(1);
    const wallet = await told.renter();
    const { sid, address } = await told.vm(wallet);
    for (let time = 0; time < 2; time += 1)
      expect(await suspendVm(told.house, sid, 'a test')).toMatchObject({ state: 'suspended', checkAt: null, address });
    const [stopped] = (await told.operator(machineList, {})).json['items'] as Record<string, unknown>[];
    expect(stopped).toMatchObject({ sid: machine, is_stopped: true });
    for (let time = 0; time < 2; time += 1)
      expect(await resumeVm(told.house, sid)).toMatchObject({ state: 'active', checkAt: null, suspendedAt: null });
    expect((await told.events(wallet)).filter((type) => /vm\.(suspended|resumed)/.test(type))).toEqual([
      'vm.suspended',
      'vm.resumed',
    ]);
    await Promise.all([
      suspendVm(told.house, sid, 'a race'),
      resumeVm(told.house, sid),
      suspendVm(told.house, sid, 'x'),
    ]);
    await told.ports.clock.advance(120_000);
    await checkAllocations(told.house);
    const row = await told.row(sid);
    expect(row.state).toBe(row.wanted === 'running' ? 'active' : 'suspended');
  });

  it('nothing of that brings back one that goes', async () => {
    const wallet = await told.renter();
    await told.machines(1);
    const { sid } = await told.vm(wallet);
    await told.call(allocationRelease, { sid }, ownerOf(wallet));
    expect((await suspendVm(told.house, sid, 'late'))?.state).toBe('releasing');
    expect((await resumeVm(told.house, sid))?.state).toBe('releasing');
    expect(await suspendVm(told.house, '01ARZ3NDEKTSV4RRFFQ69G5FZZ', 'nothing')).toBeNull();
  });
});

describe('auto-release', () => {
  it('takes a VM back strictly after the end of a plan that does not renew, once', async () => {
    await told.machines(1, { cleans_itself: true });
    const wallet = await told.renter();
    const { sid, expiresAt } = await told.vm(wallet);
    const subscription = await readOpenSubscription(told.database.db, wallet.id);
    await told.call(subscriptionCancel, { sid: subscription?.sid }, ownerOf(wallet));
    await told.at(expiresAt);
    expect((await told.operator(allocationAutoRelease, {})).json).toMatchObject({ expired: 0, released: 0 });
    expect((await told.row(sid)).state).toBe('active');
    await told.at(new Date(expiresAt.getTime() + 1));
    const [first, second] = await Promise.all([releaseExpired(told.house), releaseExpired(told.another())]);
    expect(first.released + second.released).toBe(1);
    expect(await told.row(sid)).toMatchObject({ state: 'released', releaseReason: 'expired' });
    const again = await told.operator(allocationAutoRelease, {});
    expect(again.json).toMatchObject({ expired: 0, released: 0, errors: 0 });
  });

  it('says when it last ran, in whichever process, and what that came to', async () => {
    await releaseExpired(told.another());
    const ranAt = told.ports.clock.now().toISOString();
    const { json } = await told.operator(allocationLastAutoRelease, {});
    expect(json).toMatchObject({ last_run: { ran_at: ranAt, released: 0, errors: 0 } });
    await told.ports.clock.advance(1);
    await releaseExpired(told.house);
    expect((await told.operator(allocationLastAutoRelease, {})).json).not.toMatchObject({
      last_run: { ran_at: ranAt },
    });
  });

  it('leaves a VM whose plan renews late, or is past due; and takes those of a plan that was ended', async () => {
    await told.machines(2);
    const [rich, poor] = [await told.renter('vm-5', 50n), await told.renter('vm-5', 10n)];
    const [late, unpaid] = [await told.vm(rich), await told.vm(poor)];
    await told.at(new Date(unpaid.expiresAt.getTime() + 1));
    expect(await releaseExpired(told.house)).toMatchObject({ expired: 0 });
    await renewDue(told.house);
    expect(await releaseExpired(told.house)).toMatchObject({ expired: 0 });
    const refused = await told.ask(poor);
    expect([codeOf(refused), (await told.row(unpaid.sid)).state]).toEqual(['no_plan', 'active']);
    expect((await told.row(late.sid)).expiresAt.getTime()).toBeGreaterThan(late.expiresAt.getTime());
    const subscription = await readOpenSubscription(told.database.db, poor.id);
    await told.operator(subscriptionEnd, { sid: subscription?.sid, reason: 'abuse' });
    await told.ports.clock.advance(1);
    expect(await releaseExpired(told.house)).toMatchObject({ expired: 1, released: 1, errors: 0 });
    expect(await told.row(unpaid.sid)).toMatchObject({ state: 'releasing', releaseReason: 'operator' });
    // It is on its way, and stays so until the machine is clean.
    expect(await releaseExpired(told.house)).toMatchObject({ expired: 1, released: 0, alreadyReleased: 1 });
  });
});

describe('a provisioner that fails', () => {
  const pool = (): Provisioner => {
    const found = told.house.provisioners.get('pool');
    if (!found) throw new Error('the pool is always there');
    return found;
  };
  const lost = () => Promise.reject(new ProviderFailure('timeout', 'unknown', 'It did not answer.'));

  it('leaves a VM that is asked for, and is asked until it is known', async () => {
    await told.machines(1, { cleans_itself: true });
    const wallet = await told.renter();
    // The answer is lost, not the VM.
    const deaf: Provisioner = { ...pool(), allocate: async (wanted) => (await pool().allocate(wanted), await lost()) };
    const house = { ...told.house, provisioners: new Map([['pool', deaf]] as const) };
    const answer = await told.callOn(house, allocationCreate, { name: 'web' }, ownerOf(wallet));
    expect([answer.status, answer.json['state'], answer.json['problem']]).toEqual([201, 'requested', null]);
    await told.ports.clock.advance(5_000);
    expect(await checkAllocations(told.house)).toBeGreaterThanOrEqual(1);
    expect((await told.row(String(answer.json['sid']))).state).toBe('active');
  });

  it('is an error of auto-release, which the next run puts right', async () => {
    await told.machines(1, { cleans_itself: true });
    const wallet = await told.renter();
    const { sid } = await told.vm(wallet);
    const subscription = await readOpenSubscription(told.database.db, wallet.id);
    await told.operator(subscriptionEnd, { sid: subscription?.sid, reason: 'abuse' });
    await told.ports.clock.advance(1);
    const broken = { ...told.house, provisioners: new Map([['pool', { ...pool(), release: lost }]] as const) };
    expect(await releaseExpired(broken)).toMatchObject({ released: 0, errors: 1 });
    expect(await told.row(sid)).toMatchObject({ state: 'releasing', problem: 'It did not answer.' });
    expect(await releaseExpired(told.house)).toMatchObject({ released: 1, errors: 0 });
    expect((await told.row(sid)).state).toBe('released');
  });

  it('that says no for good is an answer: there is no VM, and its place is free', async () => {
    const wallet = await told.renter();
    const no = () => Promise.reject(new ProviderFailure('refused', 'none', 'Not in this country.'));
    const house = { ...told.house, provisioners: new Map([['pool', { ...pool(), allocate: no }]] as const) };
    const answer = await told.callOn(house, allocationCreate, { name: 'web' }, ownerOf(wallet));
    expect([answer.status, codeOf(answer)]).toEqual([502, 'provider_error']);
    expect(await list(wallet, { state: 'open' })).toEqual([]);
    expect(await told.events(wallet)).toContain('vm.failed');
  });
});
