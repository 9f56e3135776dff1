import type { Mutant } from './mutant.ts';

/** Bugs of leases, of numbered records, and of usage that comes through a Forge. */
export const INTAKE_MUTANTS: readonly Mutant[] = [
  {
    name: 'lease_is_never_used_up',
    lesson: 'The wallet pays and the lease keeps its money: the customer has it taken twice until the lease ends.',
    patches: [
      {
        file: 'src/operations/lease/charge.ts',
        find: 'const drawn = micros(paid < left ? paid : left);',
        replace: 'const drawn = micros(0n);',
      },
    ],
  },
  {
    name: 'leases_are_not_added_up',
    lesson: 'Each lease is held against the limit by itself: a stolen key sets aside all that its users have.',
    patches: [
      {
        file: 'src/operations/lease/grant.ts',
        find: 'open.sum + amount <= node.hourMax',
        replace: 'amount <= node.hourMax',
      },
    ],
  },
  {
    name: 'usage_beside_its_lease',
    lesson: 'Usage that names its lease is charged as if it named none: what was set aside for it stays set aside.',
    patches: [
      {
        file: 'src/operations/usage/price-report.ts',
        find: 'if (lease !== undefined) {',
        replace: 'if (lease === null) {',
      },
    ],
  },
  {
    name: 'refused_records_have_come',
    lesson: 'The number of a record that was refused counts as come: nobody sees that it is missing.',
    patches: [
      {
        file: 'src/operations/usage/record-usage.ts',
        find: 'return !answered || answered.refusal !== null ?',
        replace: 'return !answered ?',
      },
    ],
  },
  {
    name: 'one_count_for_all_categories',
    lesson: 'Numbers of all categories are one stream: gaps of one are filled by another.',
    patches: [
      {
        file: 'src/operations/usage/price-report.ts',
        find: 'category: record.applies_to, number: record.seq }',
        replace: "category: 'llm', number: record.seq }",
      },
    ],
  },
  {
    name: 'file_is_read_once',
    lesson: 'A file that was read is not read again when more was added to it: the rest of the hour is never charged.',
    patches: [
      {
        file: 'src/operations/usage/aggregate-usage.ts',
        find: 'if (known.get(file.name) === file.blobSha) continue;',
        replace: 'if (known.has(file.name)) continue;',
      },
    ],
  },
  {
    name: 'conflict_counts_as_pushed',
    lesson: 'What the Forge did not take is told as pushed, and never pushed again.',
    patches: [
      {
        file: 'src/operations/usage/push-usage.ts',
        find: "(await tryToWrite(repository, writes, attempt)) === 'written')",
        replace: '(await tryToWrite(repository, writes, attempt)) !== null)',
      },
    ],
  },
];
