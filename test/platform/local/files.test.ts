import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { NumberedFiles } from '../../../src/platform/local/files.ts';
import { temporaryFolder } from '../../support/postgres.ts';

test('what is put aside beside a small file has room for what it grows to within one command', async () => {
  const folder = await temporaryFolder();
  try {
    const files = new NumberedFiles(folder, 8);
    expect(await files.claim(1, 'small')).toBe(true);
    await files.keepReserve();
    const aside = (await readdir(folder)).filter((name) => name.startsWith('reserve'));
    const sizes = await Promise.all(aside.map(async (name) => (await stat(path.join(folder, name))).size));
    expect(sizes).toEqual([32_768, 32_768, 32_768, 32_768]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
