import { z } from 'zod';
import { apartRefusal } from '../clock/compare.ts';
import { operation } from '../operation.ts';
import { releaseExpired } from './release-expired.ts';

/** What one run came to. */
export const releaseCountsFields = {
  examined: z.int().describe('VMs whose paid time is over, and that are not confirmed gone.'),
  expired: z.int().describe('Of those: the ones that go, because their plan has ended or does not renew.'),
  released: z.int().describe('Of the expired: the ones that this run has taken back.'),
  already_released: z
    .int()
    .describe('Of the expired: the ones that were taken back before, or by somebody else meanwhile.'),
  errors: z
    .int()
    .describe('Of the expired: the ones of which the provisioner did not say that they go. They are asked again.'),
};

export const allocationAutoRelease = operation({
  name: 'allocation.auto-release',
  summary: 'Take back the VMs whose time is over, now',
  description:
    'It runs every minute by itself. A VM goes strictly after the end of its paid time, when its plan has ended or does not renew. While the plan ' +
    'is past due, or renews and is only late, it stays. Run twice it does nothing the second time.',
  http: { method: 'post', path: '/admin/auto-release-now', status: 200 },
  access: 'operator',
  right: 'work',
  // What was taken back is not taken back again.
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object(releaseCountsFields),
  refusals: [],
  async run({ house }) {
    const apart = apartRefusal(house);
    if (apart) return apart;
    const { alreadyReleased, ...counts } = await releaseExpired(house);
    return { ...counts, already_released: alreadyReleased };
  },
});
