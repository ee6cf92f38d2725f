import { lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { root } from '../docs/sources.ts';
import { tracer } from '../support/tracer.ts';
import { temporaryFolder } from '../support/postgres.ts';

/** Bytes of an installed package, without those that it has of its own. */
async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry) => {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? 0 : bytesOf(at);
    return (await lstat(at)).size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

test('what an installation needs besides the package, and what the optional PostgreSQL adds, is as docs/kubernetes.md says', async () => {
  const { packages } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true; peer?: true; optional?: true }>;
  };
  let needed = 0;
  let optional = 0;
  for (const [name, { dev, peer, optional: left }] of Object.entries(packages)) {
    if (name === '' || dev || peer) continue;
    const bytes = await bytesOf(path.join(root, name));
    if (left) optional += bytes;
    else needed += bytes;
  }
  expect(Math.round(needed / 1e6)).toBeLessThan(125);
  expect(Math.round(optional / 1e6)).toBeLessThan(70);
}, 60_000);

const program = `import * as pulumi from '@pulumi/pulumi';
import { Environment, type EnvironmentArgs } from 'verdigris/pulumi';
const made: string[] = [];
await pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => {
    made.push(type);
    return { id: name, state: { ...(inputs as object), state: 'single' } };
  },
  call: () => ({}),
});
const args: EnvironmentArgs = {
  declaration: {
    name: 'shop', platform: 'kubernetes', database: 'shop', roles: { application: ['app'] },
    colours: { blue: { release: '1', postgres: 17 } }, live: 'blue', kubernetes: { images: { pooler: 'p:1' } },
  },
};
const { addresses, live }: Environment = new Environment('shop', args);
const seen = await new Promise((resolve) => pulumi.all([addresses, live]).apply(resolve));
await pulumi.runtime.disconnect();
console.log(JSON.stringify({ seen, made: made.sort() }));
`;

const declaration = `name: packed
platform: local
database: packed
roles: { application: [app] }
colours: { blue: { release: '1', postgres: 17 } }
live: blue
`;

test('the package, packed and unpacked as an installation has it, gives other programs the component, the provider and the command', async () => {
  const folder = await temporaryFolder();
  const modules = path.join(folder, 'node_modules');
  const installed = path.join(modules, 'verdigris');
  try {
    const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root });
    const [{ filename, size, unpackedSize }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
      { filename: string; size: number; unpackedSize: number },
    ];
    // docs/kubernetes.md says how large it is: 1.4 MB, 5.2 MB unpacked.
    expect(size).toBeLessThan(1_500_000);
    expect(unpackedSize).toBeLessThan(5_300_000);
    // Types by every resolution that TypeScript has, the oldest too: only `import` finds what is an ES module.
    const attw = await execa(
      path.join(root, 'node_modules/.bin/attw'),
      [path.join(folder, filename), '--ignore-rules', 'cjs-resolves-to-esm', '--no-color'],
      { reject: false },
    );
    expect(attw.stdout, attw.stdout).toContain('No problems found');
    await mkdir(installed, { recursive: true });
    await execa('tar', ['-xzf', path.join(folder, filename), '-C', installed, '--strip-components=1']);
    // Its dependencies are those of this checkout: a registry is not asked.
    for (const name of await readdir(path.join(root, 'node_modules')))
      if (name !== 'verdigris') await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(path.join(folder, 'index.ts'), program);

    const checked = await execa(
      path.join(root, 'node_modules/.bin/tsc'),
      [
        '--outDir',
        'out',
        '--strict',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--target',
        'es2024',
        '--types',
        'node',
        'index.ts',
      ],
      { cwd: folder, reject: false },
    );
    expect(checked.stdout).toBe('');
    const ran = await execa(process.execPath, ['out/index.js'], { cwd: folder });
    expect(JSON.parse(ran.stdout)).toEqual({
      seen: [
        {
          rw: 'postgresql://shop-pooler.default.svc:5432/shop',
          ro: 'postgresql://shop-pooler.default.svc:5432/shop_ro',
        },
        'blue',
      ],
      made: expect.arrayContaining([
        'verdigris:index:Environment',
        'verdigris:index:Traffic',
        'kubernetes:networking.k8s.io/v1:NetworkPolicy',
      ]) as unknown,
    });

    // What plugins.providers of Pulumi.yaml names: an executable that answers with its port.
    const executable = path.join(installed, 'dist/src/pulumi/provider/pulumi-resource-verdigris');
    expect((await stat(executable)).mode & 0o100).toBe(0o100);
    const provider = execa(executable, ['127.0.0.1:1'], { reject: false });
    const port = await new Promise<string>((resolve, reject) => {
      provider.stdout.on('data', (data: Buffer) => resolve(data.toString()));
      void provider.then(({ stderr }) => reject(new Error(stderr)));
    }).finally(() => provider.kill('SIGKILL'));
    expect(port).toMatch(/^\d+\n$/);

    const sbom = JSON.parse(await readFile(path.join(installed, 'dist/sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
    };
    expect(sbom.bomFormat).toBe('CycloneDX');

    const home = path.join(folder, 'home');
    const started = (node: readonly string[], args: readonly string[]) =>
      execa(process.execPath, [...node, path.join(installed, 'src/cli/verdigris.js'), ...args], {
        cwd: folder,
        env: { VERDIGRIS_HOME: home },
      });
    const verdigris = async (...args: string[]): Promise<string> => (await started([], args)).stdout;
    expect(await verdigris('--version')).toBe('0.1.0');
    expect(await verdigris('explain', 'pause-timeout')).toContain('`limits.pause`');

    // A server, a router of its own program, and a page with its style sheet: each is found from the bundle.
    await writeFile(path.join(folder, 'verdigris.yaml'), declaration);
    try {
      await verdigris('create');
      expect(await verdigris('psql', '-c', 'SELECT 6 * 7')).toContain('42');
      await verdigris('report', '--html', 'page.html');
      expect(await readFile(path.join(folder, 'page.html'), 'utf8')).toContain('prefers-color-scheme');
      // Half of a short command is its loading: how many files, not how long, since machines differ.
      const hooks = path.join(folder, 'tracer.mjs');
      await writeFile(hooks, tracer);
      const { stderr } = await started(['--import', hooks], ['status']);
      const files = [...stderr.matchAll(/^loaded file:/gm)].length;
      expect(files).toBeGreaterThan(20);
      expect(files).toBeLessThan(250);
    } finally {
      await verdigris('destroy', '--yes');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 300_000);
