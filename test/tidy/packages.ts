import type { Finding } from './source.ts';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, Manifest & { readonly integrity?: string; readonly hasInstallScript?: boolean }>
  >;
}

/** Twelve that the service stands on, one for mail and two for documents: a writer of PDF and the letters it needs. */
const PRODUCTION_PACKAGES_MAX = 15;

/** Exact versions, and a lockfile that installs on every platform from any registry. */
export function checkPackages(manifestText: string, lockText: string): Finding[] {
  const findings: Finding[] = [];
  const found = (file: string, rule: string, instead: string): void =>
    void findings.push({ file, line: 1, rule, instead });
  // Both files are npm's own; their shape is npm's contract.
  const manifest = JSON.parse(manifestText) as Manifest;
  const lock = JSON.parse(lockText) as Lock;
  const listed = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  for (const [name, version] of Object.entries(listed)) {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      found('package.json', `${name} is "${version}"`, 'pin the exact version');
  }
  if (Object.keys(manifest.dependencies ?? {}).length > PRODUCTION_PACKAGES_MAX) {
    found(
      'package.json',
      `has more than ${PRODUCTION_PACKAGES_MAX} production packages`,
      'remove one, or raise the number with a reason',
    );
  }
  for (const [where, entry] of Object.entries(lock.packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!isLocked(lock, where, name))
        found(
          'package-lock.json',
          `${name}, optional for ${where || 'us'}, is not locked`,
          'npm ci would fail: take a version whose platform packages are all there',
        );
    }
    if (where !== '' && entry.integrity === undefined)
      found('package-lock.json', `${where} has no integrity`, 'lock it again');
  }
  const host = /"resolved":|https?:\/\/[^"\s]*registry[^"\s]*/.exec(lockText);
  if (host !== null)
    found('package-lock.json', `names a registry (${host[0].slice(0, 40)})`, 'remove it: each machine has its own');
  return findings;
}

/** npm's rule: a name is looked for beside the package that wants it, then further up. */
function isLocked(lock: Lock, where: string, name: string): boolean {
  let folder = where;
  for (;;) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in lock.packages) return true;
    if (folder === '') return false;
    folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : '';
  }
}
