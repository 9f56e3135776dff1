import path from 'node:path';
import { z } from 'zod';
import { readOverlayAddress } from '../domain/challenge/overlay-address.ts';
import type { RoleClaim } from '../domain/identity/claimed-role.ts';
import { parseNetwork, type Network } from '../domain/event/address.ts';
import { OPERATOR_ROLES, type ListedOperator } from '../domain/identity/role.ts';
import { parseDecimal, type Micros } from '../domain/money.ts';

/** What a value must look like: words for the reference page, and the parser of its text. */
export interface Kind<T> {
  readonly words: string;
  /** Null where the word or the value itself says it. */
  readonly unit: string | null;
  /** The parser. Its message continues the sentence "NAME …" and never repeats the value. */
  readonly schema: z.ZodType<T, string>;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

function kind<T>(words: string, unit: string | null, must: string, read: (text: string) => T | null): Kind<T> {
  const schema = z.string().transform((text, context): T => {
    const value = read(text);
    if (value === null) {
      context.addIssue({ code: 'custom', message: must });
      return z.NEVER;
    }
    return value;
  });
  return { words, unit, schema };
}

export const secret: Kind<string> = kind('text', null, 'must be one word without white space', (text) =>
  /^\S+$/.test(text) ? text : null,
);

export const text = (pattern: RegExp, must: string): Kind<string> =>
  kind('text', null, must, (value) => (pattern.test(value) ? value : null));

export const folder: Kind<string> = kind('folder', null, 'must name a folder', (value) => path.resolve(value));

export const listenAddress: Kind<ListenAddress> = kind(
  'host:port',
  null,
  'must be host:port, for example 127.0.0.1:9920 or [::1]:9920',
  (value) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(value);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    return host === undefined || port > 65_535 ? null : { host, port };
  },
);

export const httpUrl: Kind<string> = kind(
  'URL',
  null,
  'must be an http or https URL without a user, a query or a fragment',
  (value) => {
    const url = URL.parse(value);
    if (url === null || !/^https?:$/.test(url.protocol)) return null;
    if (url.username !== '' || url.search !== '' || url.hash !== '') return null;
    return url.href.replace(/\/+$/, '');
  },
);

export const postgresUrl: Kind<string> = kind('URL', null, 'must be a URL that starts with postgres://', (value) =>
  /^postgres(ql)?:\/\/\S+$/.test(value) && URL.canParse(value) ? value : null,
);

export const smtpUrl: Kind<string> = kind('URL', null, 'must be a URL that starts with smtp:// or smtps://', (value) =>
  /^smtps?:\/\/[^\s/?#]+\/?$/.test(value) && URL.canParse(value) ? value : null,
);

export function choice<const V extends string>(values: readonly V[]): Kind<V> {
  const listed = `one of ${values.join(', ')}`;
  return kind(listed, null, `must be ${listed}`, (value) => values.find((known) => known === value) ?? null);
}

export function integer(range: { min: number; max: number; unit: string }): Kind<number> {
  const must = `must be a whole number from ${range.min} to ${range.max}`;
  return kind(`whole number, ${range.min} to ${range.max}`, range.unit, must, (value) => {
    if (!/^[0-9]{1,12}$/.test(value)) return null;
    const number = Number(value);
    return number < range.min || number > range.max ? null : number;
  });
}

const amountOf = (value: string): Micros | null => {
  const amount = parseDecimal(value);
  return amount === null || amount === 0n ? null : amount;
};

export const amount: Kind<Micros> = kind(
  'decimal number above 0',
  'USD',
  'must be an amount of dollars above 0, for example 25 or 12.50',
  amountOf,
);

export const amounts: Kind<readonly Micros[]> = kind(
  'decimal numbers with commas',
  'USD',
  'must be one to eight amounts of dollars with commas between them, for example 10,25,50',
  (value) => {
    const read = value.split(',').map((part) => amountOf(part.trim()));
    const known = read.filter((part) => part !== null);
    return known.length === read.length && known.length <= 8 ? known : null;
  },
);

export const descendingHours: Kind<readonly number[]> = kind(
  'whole numbers with commas, the largest first',
  'hours',
  'must be one to six whole numbers of hours from 1 to 720 with commas between them, each smaller than the one before, for example 72,24,4',
  (value) => {
    const read = value.split(',').map((part) => (/^[0-9]{1,3}$/.test(part.trim()) ? Number(part) : 0));
    const isRight = read.every(
      (hours, index) => hours >= 1 && hours <= 720 && (index === 0 || hours < (read[index - 1] ?? 0)),
    );
    return isRight && read.length <= 6 ? read : null;
  },
);

export const networks: Kind<readonly Network[]> = kind(
  'networks with commas',
  null,
  'must be addresses or networks with commas between them, for example 10.1.0.0/16,fd00::7',
  (value) => {
    const read = value.split(',').map((part) => parseNetwork(part.trim()));
    const known = read.filter((part) => part !== null);
    return known.length === read.length ? known : null;
  },
);

export const operatorList: Kind<readonly ListedOperator[]> = kind(
  'roles of identities, with commas',
  null,
  'must be roles of identities with commas between them, for example admin=https://git.example.org#42',
  (value) => {
    const read = value.split(',').map((part) => readOperator(part.trim()));
    const known = read.filter((part) => part !== null);
    return known.length === read.length ? known : null;
  },
);

function readOperator(part: string): ListedOperator | null {
  const [, asked, issuer = '', subject = ''] = /^([a-z]+)=([^#\s]+)#(\S+)$/.exec(part) ?? [];
  const role = OPERATOR_ROLES.find((known) => known === asked);
  const known = issuer === 'mycelium' ? nodeOf(subject) : subject;
  return role === undefined || known === null ? null : { role, issuer: issuer.replace(/\/+$/, ''), subject: known };
}

/** Of a node any of its addresses may be written. */
function nodeOf(address: string): string | null {
  const read = readOverlayAddress(address);
  return 'problem' in read ? null : read.node;
}

export const claimedRoles: Kind<RoleClaim['values']> = kind(
  'roles with values, with commas',
  null,
  'must be roles with values, with commas between them, for example admin=owners,support=help-desk',
  (value) => {
    const read = value.split(',').map((part) => readClaimedRole(part.trim()));
    const known = read.filter((part) => part !== null);
    return known.length === read.length ? known : null;
  },
);

function readClaimedRole(part: string): RoleClaim['values'][number] | null {
  const [, asked, value = ''] = /^([a-z]+)=([^\s,][^,]*)$/.exec(part) ?? [];
  const role = OPERATOR_ROLES.find((known) => known === asked);
  return role === undefined ? null : { role, value };
}

/** In hundredths of a percent. */
export const percent: Kind<number> = kind(
  'decimal number, 0.01 to 99.99',
  'percent',
  'must be a percentage from 0.01 to 99.99, with at most two decimals',
  (value) => {
    const [, whole, part = ''] = /^(\d{1,2})(?:\.(\d{1,2}))?$/.exec(value) ?? [];
    const read = whole === undefined ? 0 : Number(whole + part.padEnd(2, '0'));
    return read === 0 ? null : read;
  },
);

export const instant: Kind<Date> = kind(
  'instant',
  'ISO 8601',
  'must be an instant such as 2027-01-31T12:00:00Z',
  (value) => {
    const read = new Date(value);
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(value) && !Number.isNaN(read.getTime()) ? read : null;
  },
);
