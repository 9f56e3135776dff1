/** Migrates the database of its argument, and may be killed at a label; says what it applied in one line of JSON. */
import { systemPorts } from '../../src/ports/system.ts';
import { migrate } from '../../src/store/migrate.ts';

interface Argument {
  readonly url: string;
  readonly crashAt?: { readonly label: string; readonly count: number };
}

const { url, crashAt } = JSON.parse(process.argv[2] ?? '{}') as Argument;
const ports = systemPorts({ logLevel: 'silent', ...(crashAt === undefined ? {} : { crashAt }) });
const applied = await migrate({ url, ports });
process.stdout.write(`${JSON.stringify({ applied })}\n`);
