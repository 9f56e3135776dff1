import type { Check, Needs } from './check.ts';
import { CONFIGURATION_CHECKS } from './configuration-checks.ts';
import { DATABASE_CHECKS } from './database-checks.ts';
import { MACHINE_CHECKS } from './machine-checks.ts';
import { NETWORK_CHECKS } from './network-checks.ts';
import { READABLE } from './report.ts';

type Described = Omit<Check<never>, 'judge'>;

export const ALL_CHECKS: readonly Described[] = [
  ...CONFIGURATION_CHECKS,
  ...MACHINE_CHECKS,
  ...DATABASE_CHECKS,
  ...NETWORK_CHECKS,
].toSorted((one, other) => one.id - other.id);

const LOOKS_AT: Readonly<Record<Needs, string>> = {
  configuration: 'the settings',
  machine: 'this machine and installation',
  database: 'the database',
  network: 'the service from outside',
};

/** The page that explains every check and what to do about it. */
export function prodCheckPage(): string {
  return `${HEAD}
## 0. ${READABLE.title}

${READABLE.why} ${READABLE.remedy} The same number reports a database that cannot be looked at.

${ALL_CHECKS.map(sectionOf).join('\n')}`;
}

function sectionOf(check: Described): string {
  const start = check.isForStart
    ? 'A production server with an error here does not start.'
    : 'It does not keep a server from starting.';
  return `## ${check.id}. ${check.title}

${check.why}

**What to do:** ${check.remedy}

Looks at ${LOOKS_AT[check.needs]}. ${start}
`;
}

const HEAD = `# \`--check-prod-config\`

\`hero-onboarding --check-prod-config\` says whether a configuration is fit for real money. It reads the same environment as the
server, looks at the machine and the database, changes nothing, and ends with 0 when nothing is wrong, with 1 when there is an
error or something could not be looked at. A warning alone does not fail it. \`--json\` prints the same for a program:
\`{"is_ready", "errors", "warnings", "not_checked", "checks": [{"id", "title", "level", "reasons"}]}\`. No value of any setting is
ever printed, so the report can be shown to anybody.

A number belongs to one check for ever; numbers that are not listed are for features that this version does not have.

This page is generated from \`src/prod-check/\` by \`npm run generate\`.
`;
