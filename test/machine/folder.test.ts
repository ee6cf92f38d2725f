import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/postgres.ts';

const module = fileURLToPath(new URL('../../src/machine/folder.ts', import.meta.url));

test.each(['000', '022', '077'])(
  'a folder and those above it have the mode that was asked for under umask %s, and what was there keeps its own',
  async (umask) => {
    const folder = await temporaryFolder();
    const mode = async (name: string) => ((await stat(path.join(folder, name))).mode & 0o777).toString(8);
    const before = await mode('.');
    const code = `const { makeFolder } = await import(process.argv[1]); await makeFolder(process.argv[2], 0o711)`;
    await execa('sh', [
      '-c',
      `umask ${umask}; exec "$@"`,
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      code,
      module,
      path.join(folder, 'a/b/c'),
    ]);
    expect(await Promise.all(['a/b/c', 'a/b', 'a', '.'].map(mode))).toEqual(['711', '711', '711', before]);
    await rm(folder, { recursive: true });
  },
);
