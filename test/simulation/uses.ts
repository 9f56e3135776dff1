import type { Chance } from './random.ts';
import type { SentRecord } from './reporters.ts';

type Use = Pick<SentRecord, 'applies_to' | 'resource_kind' | 'quantity' | 'unit' | 'cost' | 'provider' | 'tokens'>;

const digits = (chance: Chance, count: number): string => String(chance.below(10 ** count)).padStart(count, '0');

/** What can be used here: hours of machines, calls with and without the provider's bill, and what is counted by the month. */
export function drawUse(chance: Chance): Use {
  return chance.weighted([
    [hours, 4],
    [calls, 4],
    [tokens, 1.2],
    [storage, 1.2],
    [requests, 1.2],
  ])(chance);
}

function hours(chance: Chance): Use {
  const quantity = `${chance.between(1, chance.is(0.1) ? 90_000 : 900)}.${digits(chance, 4)}`;
  const resource = chance.is(0.8) ? 'small' : 'large';
  return { applies_to: 'hero_os_hourly', resource_kind: resource, quantity, unit: 'second' };
}

function calls(chance: Chance): Use {
  const some = digits(chance, 6) + digits(chance, 6);
  const cost = chance.weighted([
    [`0.00${some.slice(2)}`, 6],
    [`0.${some}`, 2],
    [`${chance.between(1, 9)}.${some.slice(0, 2)}`, 0.3],
  ]);
  return { applies_to: 'llm', resource_kind: 'm/x', cost, provider: 'openrouter' };
}

function tokens(chance: Chance): Use {
  const input = chance.below(200_000);
  const cached = chance.is(0.3) ? { cached_input: chance.below(input + 1) } : {};
  return {
    applies_to: 'llm',
    resource_kind: 'm/tokens',
    provider: 'groq',
    tokens: { input, output: chance.below(20_000), ...cached },
  };
}

function storage(chance: Chance): Use {
  const quantity = `${chance.between(0, 30)}.${digits(chance, 6)}`;
  return { applies_to: 'storage', resource_kind: chance.pick(['disk', 'backup']), quantity, unit: 'gib' };
}

function requests(chance: Chance): Use {
  return { applies_to: 'requests', resource_kind: 'api', quantity: String(chance.between(1, 40)), unit: 'call' };
}
