import path from 'node:path';
import { lineAt, type Finding, type Source } from './source.ts';

/** From the inside out. A file may import its own layer and those listed for it; nothing else of the project. */
interface Layer {
  readonly name: string;
  readonly files: RegExp;
  readonly may: readonly string[];
  /** npm packages and node: modules, by pattern; absent: any. Hashing is arithmetic, so the domain may have it. */
  readonly packages?: RegExp;
}

const INNER = ['domain'];
const STORE = ['domain', 'ports'];
const OPERATIONS = ['domain', 'ports', 'store', 'providers', 'telemetry'];
const TRANSPORTS = [...OPERATIONS, 'operations'];
const HOUSE = [...TRANSPORTS, 'http', 'jsonrpc', 'cli', 'jobs', 'config', 'prod-check'];

export const LAYERS: readonly Layer[] = [
  { name: 'domain', files: /^src\/domain\//, may: [], packages: /^node:crypto$/ },
  { name: 'ports', files: /^src\/ports\//, may: INNER },
  { name: 'telemetry', files: /^src\/telemetry\//, may: STORE },
  { name: 'providers', files: /^src\/providers\//, may: STORE },
  { name: 'store', files: /^src\/store\//, may: STORE },
  { name: 'operations', files: /^src\/operations\//, may: OPERATIONS, packages: /^(zod|node:(crypto|buffer))$/ },
  { name: 'jsonrpc', files: /^src\/jsonrpc\//, may: TRANSPORTS },
  { name: 'http', files: /^src\/http\//, may: [...TRANSPORTS, 'jsonrpc'] },
  { name: 'cli', files: /^src\/cli\//, may: [...TRANSPORTS, 'client', 'config'] },
  { name: 'jobs', files: /^src\/jobs\//, may: TRANSPORTS },
  { name: 'config', files: /^src\/config(\/|\.ts$)/, may: ['domain', 'ports', 'operations'] },
  { name: 'prod-check', files: /^src\/prod-check\//, may: [...TRANSPORTS, 'config', 'main'] },
  { name: 'main', files: /^src\/(main|serve)(\/|\.ts$)/, may: HOUSE },
  { name: 'client', files: /^client\//, may: [], packages: /^$/ },
  { name: 'web', files: /^web\//, may: ['client', 'domain'] },
  { name: 'sandbox', files: /^sandbox\//, may: [] },
];

/** The word `from` in quotes is a text, and no import. */
const IMPORT = /(?<!['"])\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

export function checkArrows(source: Source): Finding[] {
  const layer = layerOf(source.file);
  if (layer === undefined || !/\.(ts|tsx)$/.test(source.file)) return [];
  const findings: Finding[] = [];
  for (const match of source.code.matchAll(IMPORT)) {
    const wrong = wrongImport(layer, source, match[1] ?? '', match.index);
    if (wrong !== null) findings.push({ file: source.file, line: lineAt(source.code, match.index), ...wrong });
  }
  return findings;
}

function wrongImport(
  layer: Layer,
  source: Source,
  target: string,
  at: number,
): Pick<Finding, 'rule' | 'instead'> | null {
  if (!target.startsWith('.')) {
    if (layer.packages === undefined || layer.packages.test(target)) return null;
    return {
      rule: `${layer.name} imports the package ${target}`,
      instead: `${layer.name} stands without it: hand the value in as an argument`,
    };
  }
  const file = path.posix.join(path.posix.dirname(source.file), target);
  const other = layerOf(file);
  if (other === undefined) {
    // JSON and styles beside a file, and package.json, belong to nobody.
    if (!/\.(ts|tsx)$/.test(file)) return null;
    return {
      rule: `${layer.name} imports ${file}`,
      instead: 'what runs in production imports neither tests nor scripts',
    };
  }
  if (layer.name === 'providers' && other.name === 'providers') return otherProvider(source.file, file);
  if (other === layer || layer.may.includes(other.name)) return null;
  const isType = /import\s+type\s[^;]*$/.test(source.code.slice(0, at));
  // Types alone are gone when it runs.
  if (isType && ['web', 'client'].includes(layer.name) && ['operations', 'domain'].includes(other.name)) return null;
  return {
    rule: `${layer.name} imports ${other.name} (${file})`,
    instead: `it may import ${layer.may.join(', ') || 'nothing'}: turn the arrow round by a port or an argument`,
  };
}

function otherProvider(from: string, to: string): Pick<Finding, 'rule' | 'instead'> | null {
  const folder = (file: string): string | undefined => /^src\/providers\/([^/]+)\//.exec(file)?.[1];
  const other = folder(to);
  if (other === undefined || other === folder(from)) return null;
  return { rule: `one provider imports another (${to})`, instead: 'providers know only src/providers/provider.ts' };
}

const layerOf = (file: string): Layer | undefined => LAYERS.find((layer) => layer.files.test(file));
