/** A switch that can be used up: `times` counts down, and at zero it is gone; without it the switch stays. */
interface Countable {
  times?: number | undefined;
}

/** Takes the first switch that fits, and uses it up once. */
export function takeFault<F extends Countable>(faults: F[], fits: (fault: F) => boolean): F | null {
  const index = faults.findIndex(fits);
  const fault = faults[index];
  if (fault === undefined) return null;
  if (fault.times !== undefined) {
    fault.times -= 1;
    if (fault.times === 0) faults.splice(index, 1);
  }
  return fault;
}
