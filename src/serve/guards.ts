import process from 'node:process';
import type { Ports } from '../ports/ports.ts';

const STOP_WITHIN_MS = 25_000;

/** Ctrl-C under `npm start` comes twice at once: from the terminal, which tells everybody, and from npm, which passes it on. */
const SAME_PRESS_MS = 500;

/**
 * A promise nobody waited for, or an exception in an event handler, ends one piece of work and not the service: it is
 * logged and counted, and everybody else is served on. Answers how to take the guards away.
 */
export function guardProcess(ports: Ports): () => void {
  const onRejection = (reason: unknown): void => ports.log.error({ err: reason }, 'a rejection was not handled');
  const onException = (error: Error): void => ports.log.error({ err: error }, 'an exception was not caught');
  // A terminal that was closed: telling it about its own absence would fail again, for ever.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignore);
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  return () => {
    for (const stream of [process.stdout, process.stderr]) stream.off('error', ignore);
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
  };
}

const ignore = (): void => undefined;

/** Resolves with the name of the first signal that asks for a stop. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
}

/** Lets `stop` run, but not for ever, and not against a later signal: then the process ends at once with 1. */
export async function stopInTime(ports: Ports, stop: () => Promise<void>): Promise<void> {
  const isDone = new AbortController();
  const giveUp = (): void => process.exit(1);
  const startedMs = ports.clock.monotonicMs();
  const onSignal = (): void => {
    if (ports.clock.monotonicMs() - startedMs > SAME_PRESS_MS) giveUp();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const cutShort = async (): Promise<void> => {
    await ports.clock.sleep(STOP_WITHIN_MS, isDone.signal);
    if (isDone.signal.aborted) return;
    ports.log.error({ ms: STOP_WITHIN_MS }, 'the stop took too long and was cut short');
    giveUp();
  };
  const overdue = cutShort();
  await stop();
  isDone.abort();
  await overdue;
}
