#!/usr/bin/env node
// Plain JavaScript on purpose: the machine's own Node may be too old to read TypeScript. Then the Node that npm installed
// beside this file takes over, with the same arguments, terminal and signals.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const [major, minor] = process.versions.node.split('.').map(Number);
const readsTypeScript = major > 22 || (major === 22 && minor >= 18);

if (readsTypeScript) {
  // In our own folder and not in the shared temporary one: what lies there is run as code.
  module.enableCompileCache?.(path.join(root, '.cache', 'compile'));
  await import('../src/main.ts');
} else {
  runWithOwnNode(path.join(root, 'node_modules', '.bin', 'node'));
}

function runWithOwnNode(node) {
  if (!existsSync(node)) {
    process.stderr.write(
      `hero-onboarding needs Node 22.18 or newer; this is ${process.version}. Run "npm ci" first: it brings one.\n`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [import.meta.filename ?? new URL(import.meta.url).pathname, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
