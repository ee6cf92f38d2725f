import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { importLost } from '../../../src/postgres/import-lost.ts';
import { withEnvironment } from '../../support/environment.ts';
import { temporaryFolder } from '../../support/postgres.ts';

const hotfix = 'CREATE TABLE hotfix (id bigint PRIMARY KEY, amount numeric, note text)';
const all = (client: Client) =>
  rows<{ row: string }>(client, "SELECT format('%s', q) AS row FROM hotfix q ORDER BY id").then((found) =>
    found.map(({ row }) => row),
  );

test('rows in tables that only the new live colour has are named before a lossless rollback, exported by it, and can be loaded', async () => {
  const migrations = path.join(await temporaryFolder(), 'migrations');
  await mkdir(migrations);
  const made = [
    'CREATE TABLE fresh (id int PRIMARY KEY, v text);',
    "INSERT INTO fresh SELECT g, 'made' FROM generate_series(1, 30) g;",
    'CREATE TABLE bare (id int PRIMARY KEY);',
  ];
  await writeFile(path.join(migrations, '001.sql'), made.join('\n'));
  await withEnvironment({ migrations }, async ({ verb, on, operator, platform, events }) => {
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    await on('green', (client) =>
      client.query(`${hotfix}; INSERT INTO hotfix VALUES (9007199254740993, 1.00, E'a\\nb'), (2, 'NaN', NULL);
        INSERT INTO fresh VALUES (31, 'by a client'); UPDATE fresh SET v = 'changed' WHERE id = 7`),
    );
    // Who wrote a row stays known.
    await on('green', (client) => client.query('VACUUM (FREEZE) fresh, hotfix'));
    const before = await on('green', all);
    await verb('rollback');

    const told = events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
    const finding = told.findLast(({ id }) => id === 'rows-left-behind');
    expect(finding).toMatchObject({ grade: 'warn', objects: ['public.fresh', 'public.hotfix'] });
    const { live, release } = await readJournal(platform.journal);
    expect({ live, rows: release?.exported?.rows }).toEqual({ live: 'blue', rows: 4 });
    const file = release?.exported?.file ?? '';
    expect(finding?.fix).toContain(`verdigris import-lost ${file}`);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const written = lines.map((line) => JSON.parse(line) as { table: string; row: { id: string } });
    expect(written.map(({ table, row }) => `${table} ${row.id}`).sort()).toEqual([
      'public.fresh 31',
      'public.fresh 7',
      'public.hotfix 2',
      'public.hotfix 9007199254740993',
    ]);

    // What the finding advises. The other table has to be there as well: all of them, or none.
    const load = () => operator((c) => c.asWriter('blue', (client) => importLost(client, file)));
    await on('blue', (client) => client.query(hotfix));
    await expect(load()).rejects.toMatchObject({ id: 'import-conflict' });
    await on('blue', (client) => client.query('CREATE TABLE fresh (id int PRIMARY KEY, v text)'));
    expect(await load()).toEqual({ rows: 4, tables: 2 });
    expect(await on('blue', all)).toEqual(before);
  });
});
