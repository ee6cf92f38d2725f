import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FlagdCore } from '@openfeature/flagd-core';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { setInFile, type FlagFormat } from '../../../src/operations/flags/files.ts';
import { temporaryFolder } from '../../support/postgres.ts';

test('a flag is set in files of flagd and GO Feature Flag by the names of its values there; all else stays', async () => {
  const folder = await temporaryFolder();
  const at = (name: string): string => path.join(folder, name);
  const set = (name: string, format: FlagFormat, values: Record<string, boolean>): Promise<void> =>
    setInFile(at(name), format, new Map(Object.entries(values)));
  try {
    const other = { state: 'ENABLED', variants: { a: 'x' }, defaultVariant: 'a' };
    const checkout = { state: 'ENABLED', variants: { yes: true, no: false }, defaultVariant: 'no' };
    await writeFile(at('flagd.json'), JSON.stringify({ flags: { checkout, other } }));
    await set('flagd.json', 'flagd', { checkout: true, made: true });
    const text = await readFile(at('flagd.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ flags: { other, checkout: { defaultVariant: 'yes' } } });
    const evaluated = (file: string, flag: string): boolean => {
      const core = new FlagdCore();
      core.setConfigurations(file);
      return core.resolveBooleanEvaluation(flag, false, {}, console).value;
    };
    expect([evaluated(text, 'checkout'), evaluated(text, 'made')]).toEqual([true, true]);
    await set('flagd.json', 'flagd', { checkout: false });
    expect(evaluated(await readFile(at('flagd.json'), 'utf8'), 'checkout')).toBe(false);
    await expect(set('flagd.json', 'flagd', { other: true })).rejects.toThrow('has no variant that is true');

    const goff = '# ours\ncheckout:\n  variations: { A: false, B: true }\n  defaultRule: { variation: A }\n';
    await writeFile(at('goff.yaml'), goff);
    await set('goff.yaml', 'goFeatureFlag', { checkout: true });
    const yaml = await readFile(at('goff.yaml'), 'utf8');
    expect(yaml).toContain('# ours');
    expect(parse(yaml)).toEqual({ checkout: { variations: { A: false, B: true }, defaultRule: { variation: 'B' } } });
    await expect(set('none.yaml', 'goFeatureFlag', { checkout: true })).rejects.toThrow('ENOENT');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
