import { expect } from 'vitest';
import { CRASH_EVERY } from './crash-every.ts';
import { gone } from './gone.ts';
import { paymentStory, type PaymentStory, type Process } from './payment-story.ts';
import { Crash } from './ports.ts';

/**
 * The process dies at every place where it waits: before and after each statement, each commit, each call to the provider. The
 * places are counted in one undisturbed run, then each of them is a run of its own, with a fresh database.
 */
const AT_ONCE = 4;

const stories: PaymentStory[] = [];
async function story(): Promise<PaymentStory> {
  const made = await paymentStory();
  stories.push(made);
  return made;
}
/** What a run that failed has left open. */
export async function closeStories(): Promise<void> {
  for (const made of stories.splice(0)) await made.close();
}
const close = async (told: PaymentStory): Promise<void> => {
  stories.splice(stories.indexOf(told), 1);
  await told.close();
};

export interface Flow {
  readonly prepare: (told: PaymentStory) => Promise<void>;
  /** What the dying process does. Swallows its own death. */
  readonly act: (told: PaymentStory, process: Process) => Promise<void>;
  /** What others do afterwards; may die as well, and is then done again. */
  readonly recover: (told: PaymentStory, process: Process) => Promise<void>;
  readonly verify: (told: PaymentStory) => Promise<void>;
}

/** How many places there are. */
async function countPoints(flow: Flow): Promise<number> {
  const told = await story();
  await flow.prepare(told);
  const process = told.anotherProcess();
  await flow.act(told, process);
  const points = process.ports.crash.reached.length;
  await flow.recover(told, told.anotherProcess());
  await flow.verify(told);
  await close(told);
  return points;
}

const survive = async (work: Promise<void>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
};

/** Dies at place `at`; then a second process recovers, itself dying at place `again` first if there is one. */
async function crashOnce(flow: Flow, at: number, again: number | null): Promise<void> {
  const told = await story();
  await flow.prepare(told);
  const dying = told.anotherProcess();
  dying.ports.crash.dieAfter(at);
  await survive(flow.act(told, dying));
  await gone(told);
  expect(dying.ports.crash.reached.length).toBeGreaterThan(at);
  // Long enough for every lease and back-off of the dead to end.
  await told.ports.clock.advance(15 * 60_000);
  if (again !== null) {
    const unlucky = told.anotherProcess();
    unlucky.ports.crash.dieAfter(again);
    await survive(flow.recover(told, unlucky));
    await gone(told);
    await told.ports.clock.advance(15 * 60_000);
  }
  await flow.recover(told, told.anotherProcess());
  await flow.verify(told);
  await close(told);
}

/** Answers how many places there are; see {@link CRASH_EVERY} for which of them are tried. */
export async function sweep(name: string, flow: Flow): Promise<number> {
  const points = await countPoints(flow);
  // Each on a database of its own, a few at once: a run waits for its database most of the time.
  const places = Array.from({ length: points }, (_, at) => at).filter((at) => at % CRASH_EVERY === 0);
  while (places.length > 0) {
    const some = places.splice(0, AT_ONCE);
    // Every third run has its recovery die too, each time at another place.
    await Promise.all(some.map((at) => crashOnce(flow, at, at % 3 === 0 ? (at * 7) % points : null)));
  }
  const some = CRASH_EVERY === 1 ? 'each' : `one in ${CRASH_EVERY}`;
  console.info(`G01 ${name}: ${points} crash points, ${some} survived`);
  return points;
}
