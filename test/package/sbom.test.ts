import { execa } from 'execa';
import { expect, test } from 'vitest';
import { document, root } from '../docs/sources.ts';

interface Component {
  readonly name: string;
  readonly purl: string;
}

const script = (text: string) =>
  execa(
    process.execPath,
    ['--input-type=module', '-e', `import { listComponents, unfit } from './scripts/sbom.js'; ${text}`],
    {
      cwd: root,
    },
  );

test('the list has all that package.json asks for, and nothing that differs from time to time', async () => {
  const { stdout } = await script('console.log(JSON.stringify(listComponents()))');
  expect(stdout).not.toMatch(/"timestamp"|"serialNumber"/);
  const { components, metadata } = JSON.parse(stdout) as {
    components: Component[];
    metadata: { component: { name: string } };
  };
  expect(metadata.component.name).toBe('verdigris');
  const { dependencies } = JSON.parse(document('package.json')) as { dependencies: Record<string, string> };
  const versions = Object.values(dependencies).map((version) => version.split('@').at(-1) ?? '');
  const purls = components.map(({ purl }) => purl);
  expect(versions.filter((version) => !purls.some((purl) => purl.endsWith(`@${version}`)))).toEqual([]);
}, 60_000);

test('a licence that nobody has looked at is refused, and so is none', async () => {
  const found = await script(
    `console.log(unfit([{ name: 'a', licenses: [{ license: { id: 'MIT' } }] }, { name: 'b', licenses: [{ ` +
      `license: { id: 'AGPL-3.0' } }] }, { name: 'c' }]).join(';'))`,
  );
  expect(found.stdout).toBe('b: AGPL-3.0;c: none stated');
});
