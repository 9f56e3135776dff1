import { without, type Span } from '../../domain/outage/outage.ts';
import { shareOfDown, type DownShare } from '../../domain/outage/share.ts';
import type { Tx } from '../../store/db.ts';
import { listCredited, listPaidTime, type DownVm } from '../../store/outage.ts';

/** A VM that was down, for which times, and what for them goes back. */
export interface VmShare extends DownShare {
  readonly vm: DownVm;
  readonly spans: readonly Span[];
}

/**
 * What VMs that were down are given back, but for what they have been given back already.
 *
 * Shape: one for each VM, in their order; nothing where nobody paid for the time. With the wallets' accounts locked it stays true.
 */
export async function sharesOf(tx: Tx, vms: readonly DownVm[], within: Span): Promise<VmShare[]> {
  if (vms.length === 0) return [];
  const credited = await listCredited(
    tx,
    vms.map(({ id }) => id),
  );
  const paid = await listPaidTime(tx, [...new Set(vms.map(({ subscription }) => subscription))], within);
  return vms.map((vm) => {
    const spans = without({ from: vm.from, until: vm.until }, credited.get(vm.id) ?? []);
    return { vm, spans, ...shareOfDown(spans, paid.get(vm.subscription) ?? []) };
  });
}
