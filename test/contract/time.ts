import type { TestPorts } from '../support/ports.ts';

/**
 * Runs a call while time passes in small steps; nobody really waits. Time moves only while the client sleeps between two attempts (the
 * second sleeper; the first is its deadline), or when nobody will ever answer: a real answer needs real time, however slow the machine.
 */
export async function whileTimePasses<T>(
  { clock }: Pick<TestPorts, 'clock'>,
  call: Promise<T>,
  hangs: () => boolean,
): Promise<PromiseSettledResult<T>> {
  const progress = { isOver: false };
  const settled = Promise.allSettled([call]).finally(() => {
    progress.isOver = true;
  });
  while (!progress.isOver) await clock.advance(clock.sleeping > 1 || hangs() ? 100 : 0);
  const [result] = await settled;
  return result;
}
