import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import type { Mutant, Patch } from './mutant.ts';
import { PLANTED } from './mutants.ts';
import { PLAN_MUTANTS } from './mutants-of-plans.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** The source with one change. Throws when the change does not fit any more: a bug that is not planted would count as found. */
export function patched(source: string, { file, find, replace }: Patch): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places that read: ${find}`);
  return parts.join(replace);
}

/**
 * Plants a bug into every module that this process loads from now on; nothing is written to disk. Call it before the product is
 * imported. Throws for a name that is not in the list.
 */
export function plant(name: string): void {
  const mutant = [...PLANTED, ...PLAN_MUTANTS].find((one) => one.name === name);
  if (!mutant) throw new Error(`there is no planted bug ${name}`);
  const patches = patchesByUrl(mutant);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = patches.get(url);
      if (!own) return loaded;
      const text =
        typeof loaded.source === 'string' ? loaded.source : Buffer.from(toBytes(loaded.source)).toString('utf8');
      return { ...loaded, source: own.reduce(patched, text) };
    },
  });
}

function patchesByUrl(mutant: Mutant): Map<string, Patch[]> {
  const byUrl = new Map<string, Patch[]>();
  for (const patch of mutant.patches) {
    const url = pathToFileURL(path.join(ROOT, patch.file)).href;
    byUrl.set(url, [...(byUrl.get(url) ?? []), patch]);
  }
  return byUrl;
}

function toBytes(source: unknown): Uint8Array {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw new Error('a module has no source text');
}
