// Compiles the package into dist/, for installation: Node runs TypeScript as it is everywhere but below node_modules.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.js';
import { writeSbom } from './sbom.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
execFileSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

/** Programs that are started by their file's name, and scripts that import one, name the compiled file. */
const compiled = (text) => text.replaceAll(/((?:new URL\(|import\()'[^']*main)\.ts'/g, "$1.js'");

for (const folder of ['src', 'stacks', 'policies']) {
  for (const name of readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
    const from = path.join(root, folder, name);
    const to = path.join(dist, folder, name);
    if (!statSync(from).isFile() || /\.(ts|md)$/.test(name) || (folder !== 'src' && name.endsWith('.js'))) continue;
    mkdirSync(path.dirname(to), { recursive: true });
    cpSync(from, to);
    chmodSync(to, statSync(from).mode);
  }
}
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const file = path.join(dist, name);
  if (!statSync(file).isFile() || !/(\.js|pulumi-resource-verdigris)$/.test(name)) continue;
  const text = readFileSync(file, 'utf8');
  if (compiled(text) !== text) writeFileSync(file, compiled(text));
}
keepTypesOf(['src/pulumi/components/index', 'src/pulumi/policies/index']);
const { name, version, type } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
writeFileSync(path.join(dist, 'package.json'), `${JSON.stringify({ name, version, type })}\n`);
await bundle(root, dist);
writeSbom();

/** Declarations that nothing which others import leads to are a fifth of the package. */
function keepTypesOf(entries) {
  const kept = new Set();
  const waiting = entries.map((entry) => path.join(dist, `${entry}.d.ts`));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (kept.has(file)) continue;
    kept.add(file);
    for (const [, named] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()["'](\.[^"']+)\.[jt]s["']/g))
      waiting.push(path.join(path.dirname(file), `${named}.d.ts`));
  }
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(dist, name);
    if (name.endsWith('.d.ts') && !kept.has(file)) rmSync(file);
  }
}
