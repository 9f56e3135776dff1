import { afterEach, describe, expect, it } from 'vitest';
import { oneIn } from '../support/crash-every.ts';
import { expectAgreement, sweepCrashes, sweepFaults, sweepRaces } from '../support/wire-sweep.ts';
import { btcpayRefunds, clickPesaRefunds, WireStory, type OpenTill } from '../support/wire-story.ts';

const stories: WireStory[] = [];
const begin = async (open: OpenTill): Promise<WireStory> => {
  const story = await WireStory.begin(open);
  stories.push(story);
  return story;
};
afterEach(async () => {
  for (const story of stories.splice(0)) await story.close();
});

const timeout = 600_000;
const RAILS: readonly (readonly [string, OpenTill])[] = [
  ['ClickPesa', clickPesaRefunds],
  ['BTCPay Server', btcpayRefunds],
];

describe.each(RAILS)('G01 C06 a refund over the wire of %s', (name, open) => {
  it.each([
    ['leaves once', 'leaves'],
    ['is back in the wallet once it has come back', 'comes_back'],
  ] as const)('%s, wherever the process dies', { timeout }, async (_, ending) => {
    const story = await begin(open);
    const points = await sweepCrashes(story, ending, oneIn(37));
    console.info(`G01 refund over ${name}, ${ending}: ${points} crash points`);
    expect(points).toBeGreaterThan(60);
    await expectAgreement(story);
  });

  it('leaves once, when two processes send it and one of them dies', { timeout }, async () => {
    const story = await begin(open);
    await sweepRaces(story, oneIn(13));
    await expectAgreement(story);
  });

  it('I02 leaves once, whatever the wire does to any exchange', { timeout }, async () => {
    const story = await begin(open);
    const tried = await sweepFaults(story, oneIn(61));
    console.info(`I02 refund over ${name}: ${tried} faults of the wire`);
    expect(tried).toBeGreaterThan(3);
    await expectAgreement(story);
  });
});
