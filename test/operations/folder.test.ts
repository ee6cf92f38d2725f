import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { performRelease } from '../../src/operations/perform.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
import { temporaryFolder } from '../support/postgres.ts';

test('a migration added after the proof is never left out: switch refuses, and the release makes the candidate again with it', async () => {
  const migrations = await temporaryFolder();
  await writeFile(path.join(migrations, '0001_early.sql'), 'CREATE TABLE early (id int PRIMARY KEY);');
  await withEnvironment({ migrations }, async ({ verb, operator, on, platform }) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    // What no engine reads is no change.
    await writeFile(path.join(migrations, 'README.md'), 'notes');
    expect(await operator((c) => performRelease(c, undefined))).toEqual([]);
    await writeFile(path.join(migrations, '0002_late.sql'), 'CREATE TABLE late (id int PRIMARY KEY);');
    await expect(verb('switch')).rejects.toMatchObject({
      id: 'gate-refused',
      facts: { findings: [expect.objectContaining({ id: 'migrations-changed' })] },
    });
    const done = await operator((c) => performRelease(c, undefined));
    expect(done.map((step) => step.verb)).toEqual(['abandon', 'seed', 'migrate', 'verify']);
    const late = await on('green', (client) =>
      rows<{ name: string | null }>(client, "SELECT to_regclass('late') AS name"),
    );
    expect(late).toEqual([{ name: 'late' }]);
    await verb('switch');
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green' });
  });
});
