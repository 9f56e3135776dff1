import { expect, test } from 'vitest';
import { systemRandom } from '../../src/ports/system.ts';

test('chance has as many bytes as were asked for, and none of them a second time', () => {
  const seen = new Set<string>();
  for (let number = 0; number < 20_000; number += 1) {
    const bytes = systemRandom.bytes(8 + (number % 600));
    expect(bytes).toHaveLength(8 + (number % 600));
    seen.add(Buffer.from(bytes.subarray(0, 8)).toString('hex'));
    // What a caller does with its bytes is nobody else's.
    bytes.fill(0);
  }
  expect(seen.size).toBe(20_000);
  expect(systemRandom.bytes(0)).toHaveLength(0);
});
