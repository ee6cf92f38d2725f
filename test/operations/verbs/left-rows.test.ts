import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { importInto } from '../../../src/operations/import-lost.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { importLost } from '../../../src/postgres/import-lost.ts';
import { withClient } from '../../../src/postgres/session.ts';
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
  const further = 'up/../and "down" (x)';
  await withEnvironment({ migrations, declaration: { databases: [further] } }, async (environment) => {
    const { verb, on, operator, platform, events } = environment;
    const beside = async (use: (client: Client) => Promise<unknown>): Promise<void> => {
      const there = { ...(await platform.servers.connection('green')), database: further };
      await withClient(there, 'test', use);
    };
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    await on('green', (client) =>
      client.query(`${hotfix}; INSERT INTO hotfix VALUES (9007199254740993, 1.00, E'a\\nb'), (2, 'NaN', NULL);
        INSERT INTO fresh VALUES (31, 'by a client'); UPDATE fresh SET v = 'changed' WHERE id = 7`),
    );
    await beside((client) => client.query('CREATE TABLE apart (id int PRIMARY KEY); INSERT INTO apart VALUES (5)'));
    // Who wrote a row stays known.
    await on('green', (client) => client.query('VACUUM (FREEZE) fresh, hotfix'));
    const before = await on('green', all);
    await verb('rollback');

    const told = events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
    const finding = told.find(({ id, objects }) => id === 'rows-left-behind' && objects.includes('public.hotfix'));
    expect(finding).toMatchObject({ grade: 'warn', objects: ['public.fresh', 'public.hotfix'] });
    const { live, release } = await readJournal(platform.journal);
    expect({ live, rows: release?.exported?.rows }).toEqual({ live: 'blue', rows: 5 });
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

    const beyond = file.replace('-left-behind', '-up%2F..%2Fand%20%22down%22%20%28x%29-left-behind');
    expect(path.dirname(beyond)).toBe(path.dirname(file));
    const ofFurther = await readFile(beyond, 'utf8');
    expect(JSON.parse(ofFurther)).toMatchObject({ table: 'public.apart', row: { id: '5' } });

    // What the finding advises. The other table has to be there as well: all of them, or none.
    const load = () => operator((c) => c.asWriter('blue', (client) => importLost(client, file)));
    await on('blue', (client) => client.query(hotfix));
    await expect(load()).rejects.toMatchObject({ id: 'import-conflict' });
    await on('blue', (client) => client.query('CREATE TABLE fresh (id int PRIMARY KEY, v text)'));
    expect(await load()).toEqual({ rows: 4, tables: 2 });
    expect(await on('blue', all)).toEqual(before);
  });
});

test('values of columns that only the new live colour has are exported by a lossless rollback, and loaded once a release has the columns again', async () => {
  const migrations = path.join(await temporaryFolder(), 'migrations');
  await mkdir(migrations);
  const added = `ALTER TABLE item ADD amount numeric DEFAULT 0, ADD note text,
    ADD twice int GENERATED ALWAYS AS (id * 2) STORED;
    ALTER TABLE metered ADD unit text; UPDATE metered SET unit = 'old' WHERE id = 9;`;
  await writeFile(path.join(migrations, '001.sql'), added);
  const tables = `CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item SELECT g, 'v' FROM generate_series(1, 3) g;
    CREATE TABLE metered (id int, region text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
    CREATE TABLE metered_eu PARTITION OF metered FOR VALUES IN ('eu'); CREATE TABLE metered_us PARTITION OF metered FOR VALUES IN ('us');
    INSERT INTO metered SELECT g, 'eu' FROM generate_series(1, 9) g`;
  const written = `UPDATE item SET amount = 1.10, note = E'a\nb' WHERE id = 1; INSERT INTO item (id, v, note) VALUES (10, 'new', 'n');
    UPDATE item SET v = 'w' WHERE id = 2; UPDATE metered SET unit = 'kWh', region = 'us' WHERE id = 3`;
  const values = (client: Client) =>
    rows<{ row: string }>(
      client,
      `SELECT format('%s %s %s %s', id, v, amount, note) AS row FROM item UNION ALL
      SELECT format('%s %s %s', region, id, unit) FROM metered ORDER BY 1`,
    ).then((found) => found.map(({ row }) => row));
  await withEnvironment({ migrations }, async ({ verb, on, operator, platform, events }) => {
    await on('blue', (client) => client.query(tables));
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    await on('green', (client) => client.query(written));
    const before = await on('green', values);
    await verb('rollback');
    const told = events.flatMap((event) => (event.type === 'finding' ? [event] : []));
    expect(
      told.flatMap(({ gate, finding: { id, objects } }) =>
        gate === 'rollback' && id === 'columns-not-carried' ? objects : [],
      ),
    ).toEqual(['public.item.amount', 'public.item.note', 'public.metered.unit']);
    const { release } = await readJournal(platform.journal);
    expect(release?.exported?.rows).toBe(3);
    const file = release?.exported?.file ?? '';
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const { table, row, before: key } = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
    expect({ table, row, key }).toEqual({
      table: 'public.metered',
      row: { unit: 'kWh' },
      key: { region: 'us', id: '3' },
    });

    // This release has no place for them.
    const load = () => operator((c) => importInto(c, file));
    await expect(load()).rejects.toMatchObject({
      id: 'import-conflict',
      seen: expect.stringContaining('column amount does not exist here'),
    });
    await verb('abandon');
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    expect(await on('green', values)).not.toEqual(before);
    await on('green', (client) => client.query("UPDATE item SET note = 'since' WHERE id = 10"));
    await expect(load()).rejects.toMatchObject({ id: 'import-conflict', facts: { lines: [2] } });
    await on('green', (client) => client.query('UPDATE item SET note = NULL WHERE id = 10'));
    for (let again = 0; again < 2; again++) expect(await load()).toEqual({ rows: 3, tables: 2 });
    expect(await on('green', values)).toEqual(before);
  });
});
