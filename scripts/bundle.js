// Half of a short command is its loading. Of a thousand compiled files and their small packages this makes few in
// dist/bundle; programs and what others import stay where they were, as one line each.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';

/** What is started by its file's name, or imported by others. */
const entries = [
  'src/cli/main',
  'src/operations/guard/main',
  'src/platform/hold-watch/main',
  'src/platform/kubernetes/guard/main',
  'src/pulumi/components/index',
  'src/pulumi/policies/index',
  'src/pulumi/provider/main',
  'src/router/main',
  'src/workload/main',
  'stacks/index',
  'policies/pack',
];

/**
 * Packages of many small files that a short command loads, and the bundler's own: they go into the bundle, with what
 * they need themselves.
 */
const inlined = new Set(['@oxc-project/runtime', 'commander', 'execa', 'log-update', 'wrap-ansi', 'yaml', 'zod']);

/** Of zod's messages in 50 languages, half of a megabyte, one is printed. */
const english = "export { default as en } from './en.js';\n";

/** Bundles what `tsc` has made in the folder `dist` of the TypeScript of `root`. */
export async function bundle(root, dist) {
  const folder = path.join(dist, 'bundle');
  const named = new Set();
  const build = await rolldown({
    cwd: dist,
    platform: 'node',
    input: Object.fromEntries(entries.map((entry) => [flat(entry), path.join(dist, `${entry}.js`)])),
    external: (id, from) => !/^[./\0]/.test(id) && !from?.includes('/node_modules/') && !inlined.has(packageOf(id)),
    plugins: [
      { name: 'address', transform: (code, id) => addressed(code, id, folder, named) },
      { name: 'languages', load: (id) => (id.endsWith('/zod/v4/locales/index.js') ? english : undefined) },
    ],
  });
  const { output } = await build.write({ dir: folder, entryFileNames: '[name].js', comments: { jsdoc: false } });
  await build.close();
  const modules = output.flatMap((chunk) => Object.keys(chunk.modules ?? {})).filter(existsSync);
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.js') && existsSync(path.join(root, name.replace(/js$/, 'ts')))) rmSync(path.join(dist, name));
  for (const entry of entries) {
    const target = path.relative(path.dirname(path.join(dist, entry)), path.join(folder, `${flat(entry)}.js`));
    writeFileSync(path.join(dist, `${entry}.js`), `export * from './${target}';\n`);
  }
  writeFileSync(path.join(folder, 'LICENSES'), licences(modules));
  refuseLost(dist, named);
  refuseForeign(root, output);
}

function flat(entry) {
  return entry.replaceAll('/', '-');
}

function packageOf(id) {
  return /^(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? id;
}

/** Files beside a module are found from the bundle as they were from the module's own place. */
function addressed(code, id, folder, named) {
  if (id.includes('/node_modules/') || !code.includes('import.meta.url')) return undefined;
  for (const [, file] of code.matchAll(/new URL\('([^']+\.js)', import\.meta\.url\)/g))
    named.add(path.join(path.dirname(id), file));
  const own = JSON.stringify(path.relative(folder, id));
  return code.replaceAll('import.meta.url', `new URL(${own}, import.meta.url).href`);
}

/** A program that is named but no entry would be missed only where it is started: it is refused here. */
function refuseLost(dist, named) {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(dist, name);
    if (name.startsWith('bundle/') || !name.endsWith('.js') || !statSync(file).isFile()) continue;
    for (const [, other] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g))
      named.add(path.join(path.dirname(file), other));
  }
  // The dashboard's server answers this one with a package's file.
  const lost = [...named].filter((file) => !existsSync(file) && path.basename(file) !== 'plot.js');
  if (lost.length > 0)
    throw new Error(`Not in the package: ${lost.join(', ')}. Add them to entries of scripts/bundle.js.`);
}

/** What is neither in the bundle nor a declared dependency would be found in a checkout alone. */
function refuseForeign(root, output) {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const chunks = new Set(output.map(({ fileName }) => fileName));
  const foreign = output
    .flatMap(({ imports = [], dynamicImports = [] }) => [...imports, ...dynamicImports])
    .filter((id) => !chunks.has(id) && !isBuiltin(id))
    .filter((id) => !Object.hasOwn({ ...dependencies, ...peerDependencies }, packageOf(id)));
  if (foreign.length > 0) throw new Error(`No dependencies of the package: ${[...new Set(foreign)].join(', ')}.`);
}

/** The licence of each package whose text is in the bundle, as it demands. */
function licences(modules) {
  const folders = modules.map((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? '');
  return [...new Set(folders)]
    .filter((folder) => folder !== '')
    .map((folder) => {
      const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
      if (file === undefined) throw new Error(`${folder} has no licence file to pass on.`);
      const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      return `${name} ${version}\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
