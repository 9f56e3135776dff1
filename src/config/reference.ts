import { GROUPS, type Group, type Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';

const settingsOf = (group: Group): readonly Setting[] =>
  Object.values(SETTINGS).filter((setting) => setting.group === group);

/** The example file: every setting as a comment with its default, sound to copy to `.env` as it is. */
export function exampleFile(): string {
  const groups = GROUPS.map((group) => `# --- ${group} ---\n\n${settingsOf(group).map(exampleOf).join('\n')}`);
  return `${EXAMPLE_HEAD}\n${groups.join('\n')}`;
}

const EXAMPLE_HEAD = `# Settings of hero-onboarding. Copy to .env in the folder you start the server from and take the # off a line to change it.
# A variable that is already in the environment wins over this file. Keep .env readable by the server's user alone.
# Generated from src/config/settings.ts by "npm run generate".
`;

function exampleOf(setting: Setting): string {
  return `# ${setting.prose}\n# (${describe(setting)})\n#${setting.env}=${setting.default ?? ''}\n`;
}

function describe(setting: Setting): string {
  const parts = [setting.kind.words];
  if (setting.kind.unit !== null) parts.push(`in ${setting.kind.unit}`);
  if (setting.isSecret) parts.push('secret');
  return parts.join('; ');
}

/** The reference page. */
export function configurationPage(): string {
  const groups = GROUPS.map((group) => `## ${group}\n\n${TABLE_HEAD}\n${settingsOf(group).map(rowOf).join('\n')}\n`);
  return `${PAGE_HEAD}\n${groups.join('\n')}`;
}

const PAGE_HEAD = `# Configuration

Every setting is an environment variable. A file named \`.env\` in the working folder is read too; what is already in the
environment wins. A wrong value stops the start with a sentence that names the setting. \`hero-onboarding --print-config\` shows
what is in force and where it came from, and never a secret; \`hero-onboarding --check-prod-config\` says whether it is fit for real
money ([the checks](prod-check.md)).

This page is generated from \`src/config/settings.ts\` by \`npm run generate\`.
`;

const TABLE_HEAD = '| setting | what it is | default | what it does |\n|---|---|---|---|';

function rowOf(setting: Setting): string {
  const fallback = setting.default === null ? '—' : `\`${setting.default}\``;
  return `| \`${setting.env}\` | ${describe(setting)} | ${fallback} | ${setting.prose} |`;
}
