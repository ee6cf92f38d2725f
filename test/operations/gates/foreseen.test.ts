import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { plannedFiles } from '../../../src/operations/reads/planned-files.ts';
import { withEnvironment } from '../../support/environment.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/postgres.ts';

test('what migrate would refuse of the files by their text is refused before the seed, and planned so; a note lets it pass', async () => {
  const migrations = await temporaryFolder();
  const file = path.join(migrations, '0001_change.sql');
  await withEnvironment({ migrations }, async ({ verb, on, platform, environment }) => {
    await on('blue', (client) =>
      client.query('CREATE TABLE kept (id int PRIMARY KEY, old text); CREATE TABLE again (id int PRIMARY KEY)'),
    );
    const findings = async (sql: string) => {
      await writeFile(file, sql);
      const { refused = [] } = await plannedFiles({ environment, platform, signal: new AbortController().signal });
      const at = verb('seed').catch((error: { facts: { findings: { id: string }[] } }) => error.facts.findings);
      expect((await at) as unknown[]).toEqual(expect.arrayContaining([...refused]));
      return refused.map(({ id }) => id);
    };
    expect(await findings('ALTER TABLE kept ADD COLUMN code int NOT NULL')).toEqual(['required-column-added']);
    expect(await findings('DROP TABLE again; CREATE TABLE again (id int PRIMARY KEY)')).toEqual(['table-remade']);
    expect(await findings('ALTER TABLE kept RENAME TO other')).toEqual(['contract-too-early', 'table-renamed']);
    expect(await findings('ALTER TABLE kept DROP COLUMN old')).toEqual(['contract-too-early']);
    expect((await readJournal(platform.journal)).state).toBe('single');
    expect(await findings('CREATE TABLE kept (id int)')).toEqual(['migration-will-fail']);
    expect(await findings('GRANT SELECT ON kept TO nobody; SET no_such = 1')).toEqual(['migration-will-fail']);
    await rm(file);
    const other = path.join(migrations, 'V1__a.sql');
    await writeFile(other, 'SELECT 1');
    const planned = plannedFiles({ environment, platform, signal: new AbortController().signal });
    expect(await failure(planned)).toMatchObject({ id: 'engine-unclear' });
    await rm(other);
    const note = '-- verdigris: contract public.kept.old unused because nobody reads it\n';
    await writeFile(file, `${note}ALTER TABLE kept DROP COLUMN old`);
    await verb('seed');
    await verb('migrate');
  });
});
