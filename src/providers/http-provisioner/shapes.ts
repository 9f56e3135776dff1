import { z } from 'zod';
import { VM_STATES, type ListedVm, type VmStatus } from '../provisioner.ts';

/** What people read on pages and in mails: short, and nothing that moves a cursor or ends a line. */
const word = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{C}]+$/u);
const sentence = z
  .string()
  .max(500)
  .regex(/^[^\p{C}]*$/u);

const vmFields = {
  state: z.enum(VM_STATES),
  external_ref: word.nullable(),
  host: word.nullable(),
  address: word.nullable(),
  problem: sentence.nullable(),
};

const vmShape = z.object({ allocation_sid: z.string(), ...vmFields });
const listedShape = z.object({ allocation_sid: z.string().max(64).nullable(), ...vmFields });
export const pageShape = z.object({ items: z.array(listedShape), next_cursor: z.string().min(1).max(500).nullable() });

/** A 409 of a back end that has no room; every other 409 is a failure. */
export const noPlaceShape = z.object({ code: z.literal('no_place') });

type Listed = z.infer<typeof listedShape>;

export const toListed = ({ allocation_sid: allocationSid, external_ref: externalRef, ...rest }: Listed): ListedVm => ({
  allocationSid,
  externalRef,
  ...rest,
});

/** Null: it is not a VM, or not the one that was asked about. */
export function toStatus(body: unknown, allocationSid: string): VmStatus | null {
  const read = vmShape.safeParse(body);
  if (!read.success || read.data.allocation_sid !== allocationSid) return null;
  return { ...toListed(read.data), allocationSid };
}
