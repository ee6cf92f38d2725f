import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { setInFile, type FlagFormat } from '../../src/operations/flags/files.ts';
import { flagReaders } from '../migrations/tools/tools.ts';
import { temporaryFolder } from '../support/postgres.ts';

/**
 * flagd's own module (github.com/open-feature/flagd/flagd) is refused by Go's proxy: v0.4.0, v0.5.4, v0.6.0, v0.7.2,
 * v0.10.2, v0.11.1, v0.11.5, v0.11.8, v0.12.1, v0.12.8 and v0.12.9. What it reads and evaluates files with
 * (flagd/core) is there.
 */
const readers: readonly [FlagFormat, string, string][] = [
  ['flagd', 'flags.json', '{ "flags": {} }\n'],
  ['goFeatureFlag', 'flags.yaml', 'other: { variations: { a: true, b: false }, defaultRule: { variation: b } }\n'],
];

test.for(readers)(
  'what reads files of %s sees each turn of a flag in the file, and the OpenFeature SDK with it',
  async ([format, name, empty]) => {
    const folder = await temporaryFolder();
    const file = path.join(folder, name);
    await writeFile(file, empty);
    const reader = execa(await flagReaders(), [format, file], { reject: false, buffer: { stdout: false } });
    try {
      const [baseUrl] = (await once(createInterface({ input: reader.stdout }), 'line')) as [string];
      await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl }));
      const software = OpenFeature.getClient();
      expect(await software.getBooleanDetails('checkout', false)).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
      // Each turn replaces the file: its watcher goes on with the new one.
      for (const value of [true, false, true]) {
        await setInFile(file, format, new Map([['checkout', value]]));
        await expect
          .poll(() => software.getBooleanDetails('checkout', !value), { timeout: 10_000 })
          .toMatchObject({ value, variant: value ? 'on' : 'off' });
      }
    } finally {
      await OpenFeature.close();
      reader.kill();
      await reader;
      await rm(folder, { recursive: true, force: true });
    }
  },
);
