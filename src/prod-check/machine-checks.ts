import { must, type Check } from './check.ts';

export interface MachineFacts {
  /** Null where users have no number. */
  readonly uid: number | null;
  readonly nodeVersion: string;
  /** Files with secrets that others on the machine may read; names without folders. */
  readonly readableByOthers: readonly string[];
  /** Of the file system that holds the data folder, from 0 to 1. */
  readonly diskFreeShare: number;
  /** Packages whose installed version is not the locked one. */
  readonly packagesAstray: readonly string[];
}

const base = { needs: 'machine', isForStart: true } as const;
const DISK_FREE_SHARE_MIN = 0.15;

export const MACHINE_CHECKS: readonly Check<MachineFacts>[] = [
  {
    ...base,
    id: 38,
    title: 'at least 15 % of the disk is free',
    why: 'A full disk stops the embedded database in the middle of the day.',
    remedy: 'Free space on the file system of HERO_ONBOARDING_DATA_DIR, or move it to a larger one.',
    judge: ({ diskFreeShare }) =>
      must(diskFreeShare >= DISK_FREE_SHARE_MIN, 'Less than 15 % of the data disk is free.'),
  },
  {
    ...base,
    id: 39,
    title: 'the server is not root and its secrets are its own',
    why: 'A fault in a root process owns the machine; a secret that others may read is no secret.',
    remedy: 'Start it as a user of its own, and chmod 600 the files named.',
    judge: ({ uid, readableByOthers }) => [
      ...must(uid !== 0, 'The process runs as root.'),
      ...readableByOthers.flatMap((file) => must(false, `Others on this machine may read ${file}.`)),
    ],
  },
  {
    ...base,
    id: 40,
    title: 'Node is supported and the packages are the locked ones',
    why: 'An unsupported Node gets no security fixes, and a package that is not the locked one was checked by nobody.',
    remedy: 'Run "npm ci" and start with npm or bin/hero-onboarding.js, which take the Node that npm installed.',
    judge: ({ nodeVersion, packagesAstray }) => [
      ...must(isSupported(nodeVersion), 'This Node is older than 22.18 or no long-term release.'),
      ...packagesAstray.flatMap((name) => must(false, `The installed ${name} is not the locked one.`)),
    ],
  },
];

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major % 2 === 0 && (major > 22 || (major === 22 && minor >= 18));
}
