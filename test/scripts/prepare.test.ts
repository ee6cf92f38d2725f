import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { root } from '../docs/sources.ts';
import { temporaryFolder } from '../support/postgres.ts';

test('npm compiles the package for a project that installs it by `npm install git+…`, and not for `npm ci` in a checkout', async () => {
  const folder = await temporaryFolder();
  const built = path.join(folder, 'built');
  /** As npm runs `prepare`: in its clone or in the checkout, with the folder that npm was called in. */
  const isBuilt = async (calledIn: string | undefined): Promise<boolean> => {
    await rm(built, { force: true });
    const env = calledIn === undefined ? {} : { INIT_CWD: calledIn };
    await execa(process.execPath, ['prepare.js'], { cwd: folder, env, extendEnv: false });
    return stat(built).then(
      () => true,
      () => false,
    );
  };
  try {
    const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts).toMatchObject({ prepare: 'node scripts/prepare.js', build: 'node scripts/build.js' });
    await copyFile(path.join(root, 'scripts/prepare.js'), path.join(folder, 'prepare.js'));
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(
      path.join(folder, 'build.js'),
      "import { writeFileSync } from 'node:fs'; writeFileSync('built', '');",
    );
    expect(await isBuilt('/home/somebody/project')).toBe(true);
    expect(await isBuilt(folder)).toBe(false);
    expect(await isBuilt(undefined)).toBe(false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
