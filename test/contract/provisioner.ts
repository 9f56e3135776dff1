import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Provisioner, VmStatus, WantedVm } from '../../src/providers/provisioner.ts';
import type { Trouble, TroubleBench } from './trouble.ts';

/** A provisioner in front of what it gives VMs from, and what the suite needs to play the operator's part. */
export interface ProvisionerBench {
  readonly provisioner: Provisioner;
  /** What we would ask for: the first, second, … allocation, known to our own books where the provisioner reads them. */
  readonly wanted: (number: number) => Promise<WantedVm>;
  /** From here on there are so many places in all. */
  readonly places: (count: number) => Promise<void>;
  /** From here on the place of a VM that is taken back is not clean until it is said. */
  readonly cleansSlowly: () => Promise<void>;
  readonly clean: (allocationSid: string) => Promise<void>;
  /** How many VMs are there and not given back. */
  readonly count: () => Promise<number>;
  /** Null: nothing can go wrong on the way. */
  readonly trouble: TroubleBench | null;
  readonly close: () => Promise<void>;
}

const TROUBLES = [
  'cut-after',
  'silent-after',
  'error-after',
  'error-before',
  'html',
] as const satisfies readonly Trouble[];
const UNKNOWN_SID = '01ARZ3NDEKTSV4RRFFQ69G5FZZ';

/** What every provisioner keeps to, whatever is behind it. */
export function provisionerContract(name: string, open: () => Promise<ProvisionerBench>): void {
  describe(`${name} keeps the contract of a provisioner`, () => {
    let bench: ProvisionerBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(() => bench.close());

    const allocate = async (number = 1): Promise<VmStatus> => {
      const given = await bench.provisioner.allocate(await bench.wanted(number));
      if (given === 'none') throw new Error('there was no place');
      return given;
    };

    it('a VM is given, runs, and says where it is', async () => {
      const { allocationSid } = await bench.wanted(1);
      const given = await allocate();
      expect(given).toMatchObject({ allocationSid, state: 'running', problem: null });
      expect(await bench.provisioner.status(allocationSid)).toEqual(given);
      expect(given.host).not.toBeNull();
      expect(given.address).not.toBeNull();
    });

    it('asked again with the same sid, and five times at once, it is the same VM', async () => {
      const all = await Promise.all(Array.from({ length: 5 }, () => allocate()));
      expect(new Set(all.map((vm) => vm.externalRef)).size).toBe(1);
      expect(await allocate()).toEqual(all[0]);
      expect(await bench.count()).toBe(1);
    });

    it('two sids are two VMs', async () => {
      const [first, second] = [await allocate(1), await allocate(2)];
      expect(second.externalRef).not.toBe(first.externalRef);
      expect(await bench.count()).toBe(2);
    });

    it('without a place the answer is none, and the same sid gets one when there is one again', async () => {
      await bench.places(1);
      const first = await allocate(1);
      const second = await bench.wanted(2);
      expect(await bench.provisioner.allocate(second)).toBe('none');
      expect(await bench.provisioner.allocate(await bench.wanted(1))).toEqual(first);
      await bench.places(2);
      expect(await bench.provisioner.allocate(second)).toMatchObject({ state: 'running' });
    });

    it('of ten that want the last place at once one gets it', async () => {
      await bench.places(1);
      const wanted = await Promise.all(Array.from({ length: 10 }, (_, index) => bench.wanted(index + 1)));
      const answers = await Promise.all(wanted.map((one) => bench.provisioner.allocate(one)));
      expect(answers.filter((answer) => answer !== 'none')).toHaveLength(1);
      expect(await bench.count()).toBe(1);
    });

    it('stopped and started, each twice: it keeps its place and its address', async () => {
      const { allocationSid, address, host, externalRef } = await allocate();
      const { provisioner } = bench;
      for (const state of ['stopped', 'running'] as const) {
        const change = state === 'stopped' ? provisioner.suspend : provisioner.resume;
        for (let time = 0; time < 2; time += 1) {
          expect(await change(allocationSid)).toMatchObject({ state, host, externalRef });
        }
        expect(await provisioner.status(allocationSid)).toMatchObject({ state, host, externalRef });
      }
      expect(await provisioner.status(allocationSid)).toMatchObject({ address });
      expect(await bench.count()).toBe(1);
    });

    it('given back it is released, for ever: nothing brings it to life again', async () => {
      const { allocationSid } = await allocate();
      const { provisioner } = bench;
      expect((await provisioner.release(allocationSid))?.state).toBe('released');
      expect((await provisioner.release(allocationSid))?.state ?? 'released').toBe('released');
      for (const again of [provisioner.suspend, provisioner.resume, provisioner.status]) {
        expect((await again(allocationSid))?.state ?? 'released').toBe('released');
      }
      const late = await provisioner.allocate(await bench.wanted(1));
      expect(late === 'none' ? late : late.state).not.toBe('running');
      expect(await bench.count()).toBe(0);
    });

    it('it is releasing until its place is confirmed clean, and the place is nobody else’s meanwhile', async () => {
      await bench.places(1);
      await bench.cleansSlowly();
      const { allocationSid } = await allocate(1);
      const { provisioner } = bench;
      for (let time = 0; time < 2; time += 1) {
        expect(await provisioner.release(allocationSid)).toMatchObject({ allocationSid, state: 'releasing' });
      }
      expect(await provisioner.status(allocationSid)).toMatchObject({ state: 'releasing' });
      expect(await provisioner.allocate(await bench.wanted(2))).toBe('none');
      await bench.clean(allocationSid);
      expect((await provisioner.status(allocationSid))?.state).toBe('released');
      expect(await provisioner.allocate(await bench.wanted(2))).toMatchObject({ state: 'running' });
    });

    it('a stopped one can be given back', async () => {
      const { allocationSid } = await allocate();
      await bench.provisioner.suspend(allocationSid);
      expect((await bench.provisioner.release(allocationSid))?.state).toBe('released');
      expect(await bench.count()).toBe(0);
    });

    it('of a sid that it was never asked for it knows nothing', async () => {
      const { provisioner } = bench;
      expect(await provisioner.status(UNKNOWN_SID)).toBeNull();
      expect(await provisioner.suspend(UNKNOWN_SID)).toBeNull();
      expect(await provisioner.resume(UNKNOWN_SID)).toBeNull();
      expect((await provisioner.release(UNKNOWN_SID))?.state ?? 'released').toBe('released');
      expect(await bench.count()).toBe(0);
    });

    it.each(TROUBLES)('through %s a change fails with an unknown outcome, and a look without one', async (trouble) => {
      const { provisioner, trouble: way } = bench;
      if (way === null) return;
      const wanted = await bench.wanted(1);
      way.start(trouble);
      const failed = (outcome: string) => ({ status: 'rejected', reason: { name: 'ProviderFailure', outcome } });
      expect(await way.through(provisioner.allocate(wanted))).toMatchObject(failed('unknown'));
      expect(await way.through(provisioner.release(wanted.allocationSid))).toMatchObject(failed('unknown'));
      expect(await way.through(provisioner.status(wanted.allocationSid))).toMatchObject(failed('none'));
    });

    it.each(TROUBLES)('what was asked for through %s is found or made by asking again, once', async (trouble) => {
      const { provisioner, trouble: way } = bench;
      if (way === null) return;
      const wanted = await bench.wanted(1);
      way.start(trouble);
      await way.through(provisioner.allocate(wanted));
      way.stop();
      expect(await provisioner.allocate(wanted)).toMatchObject({ state: 'running' });
      expect(await bench.count()).toBe(1);
    });

    it('one lost answer is not noticed by the caller', async () => {
      const { provisioner, trouble: way } = bench;
      if (way === null) return;
      way.start('error-after', 1);
      expect(await way.through(provisioner.allocate(await bench.wanted(1)))).toMatchObject({
        status: 'fulfilled',
        value: { state: 'running' },
      });
      expect(await bench.count()).toBe(1);
    });
  });
}
