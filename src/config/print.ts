import type { Network } from '../domain/event/address.ts';
import type { RoleClaim } from '../domain/identity/claimed-role.ts';
import type { ListedOperator } from '../domain/identity/role.ts';
import { formatDecimal } from '../domain/money.ts';
import type { Config } from '../config.ts';
import { SETTINGS, type SettingName } from './settings.ts';

/** Every setting as `NAME=value  # origin`, secrets as `(set)`. Sound to paste into a report. */
export function printConfig(config: Config): string {
  const lines = Object.entries(SETTINGS).map(([key, setting]) => {
    // The keys of SETTINGS are exactly the setting names.
    const name = key as SettingName;
    const value = config[name];
    const shown = value === null ? '' : setting.isSecret ? '(set)' : textOf(value);
    return `${setting.env}=${shown}  # ${config.origins.get(name) ?? 'absent'}`;
  });
  return `${lines.join('\n')}\n`;
}

function textOf(value: NonNullable<Config[SettingName]>): string {
  if (typeof value === 'bigint') return formatDecimal(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if ('host' in value) return `${value.host.includes(':') ? `[${value.host}]` : value.host}:${value.port}`;
  return [...value].map(partText).join(',');
}

function partText(part: bigint | number | Network | ListedOperator | RoleClaim['values'][number]): string {
  if (typeof part === 'bigint') return formatDecimal(part);
  if (typeof part === 'number') return String(part);
  if ('text' in part) return part.text;
  return 'issuer' in part ? `${part.role}=${part.issuer}#${part.subject}` : `${part.role}=${part.value}`;
}
