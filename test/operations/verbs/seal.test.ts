import { expect, test } from 'vitest';
import type { Verb } from '../../../src/model/transitions.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { readStatus } from '../../../src/operations/reads/status.ts';
import { operationOf } from '../../../src/operations/table.ts';
import { execute } from '../../../src/operations/engine/engine.ts';
import type { Step } from '../../../src/operations/engine/operation.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { dropDatabase } from '../../../src/postgres/drop-database.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { good } from '../../support/verdict.ts';

/** A verb during which `act` runs as soon as the step has ended: what goes on beside it. */
async function beside(test: TestEnvironment, verb: Verb, after: string, act: () => Promise<void>): Promise<unknown> {
  const operation = operationOf(verb);
  const start = operation.start.map((step): Step =>
    step.id === after
      ? {
          ...step,
          async run(c) {
            const detail = await step.run(c);
            await act();
            return detail;
          },
        }
      : step,
  );
  return test.operator((c) => execute(c, { ...operation, start })).catch((error: unknown) => error);
}

const made = 'CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late SELECT generate_series(1, 20)';

/** What goes on behind the gates, and what the refusal has to name. */
const acts: readonly (readonly [after: string, colour: 'blue' | 'green', statement: string, named: RegExp])[] = [
  ['prepare-reverse', 'blue', made, /table public\.late/],
  ['look', 'blue', made, /on blue: .*table public\.late/],
  ['hold', 'blue', made, /on blue: .*table public\.late/],
  ['look', 'green', 'CREATE INDEX sneaked ON item (v)', /on green: .*index public\.sneaked/],
  [
    'look',
    'blue',
    'CREATE TABLE item2 (LIKE item INCLUDING ALL); DROP TABLE item; ALTER TABLE item2 RENAME TO item',
    /public\.item/,
  ],
  ['look', 'blue', 'TRUNCATE part_1', /partition public\.part_1/],
  ['look', 'blue', 'GRANT SELECT ON pg_catalog.pg_statistic TO shop_reader', /grants pg_catalog\.pg_statistic/],
  ['prepare-reverse', 'blue', 'CREATE DATABASE billing', /database billing/],
  ['look', 'blue', 'CREATE DATABASE billing', /database billing/],
  ['prepare-reverse', 'blue', 'CREATE DATABASE billing IS_TEMPLATE true ALLOW_CONNECTIONS false', /database billing/],
  ['look', 'blue', 'CREATE DATABASE billing IS_TEMPLATE true ALLOW_CONNECTIONS false', /database billing/],
  ['look', 'blue', 'ALTER DATABASE stamp CONNECTION LIMIT 7', /database stamp/],
  ['look', 'blue', "SELECT lo_from_bytea(4711, 'x')", /large object 4711/],
  [
    'look',
    'blue',
    'CREATE OR REPLACE FUNCTION citext_eq(citext, citext) RETURNS boolean LANGUAGE sql AS $$SELECT true$$',
    /citext_eq/,
  ],
];

const undo =
  'ALTER DATABASE stamp CONNECTION LIMIT -1; DROP TABLE IF EXISTS late; REVOKE SELECT ON pg_catalog.pg_statistic FROM shop_reader';

async function fill(client: Client): Promise<void> {
  await client.query(`CREATE EXTENSION citext;
    CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item SELECT g, 'x' FROM generate_series(1, 50) g;
    CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
    INSERT INTO part SELECT generate_series(1, 50)`);
}

test('what is made behind the gates of a switchover ends it by name, nothing is lost, and the next one goes through', async () => {
  await withEnvironment({ fill, settings: { max_prepared_transactions: '4' } }, async (environment) => {
    const { verb, on, platform } = environment;
    const again = async () => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    };
    await on('blue', (client) => client.query('CREATE DATABASE stamp IS_TEMPLATE true'));
    await withClient({ ...(await platform.servers.connection('blue')), database: 'stamp' }, 'test', (client) =>
      client.query('CREATE TABLE stamped (id int); INSERT INTO stamped VALUES (1)'),
    );
    await again();
    for (const [after, colour, statement, named] of acts) {
      const error = await beside(environment, 'switch', after, () =>
        on(colour, async (client) => void (await client.query(statement))),
      );
      expect
        .soft(error, statement)
        .toMatchObject({ id: 'seal-broken', message: expect.stringMatching(named) as string });
      expect(await readJournal(platform.journal), statement).toMatchObject({
        state: 'verified',
        live: 'blue',
        operation: null,
      });
      if (/item2|part_1|citext/.test(statement)) {
        await verb('abandon');
        await again();
      } else if (colour === 'green') await on('green', (client) => client.query('DROP INDEX sneaked'));
      else if (/billing/.test(statement)) await on('blue', (client) => dropDatabase(client, 'billing'));
      else if (/lo_from/.test(statement)) await on('blue', (client) => client.query('SELECT lo_unlink(4711)'));
      else await on('blue', (client) => client.query(undo));
    }
    // Where tools log in, in no database that the release carries.
    const inPostgres = async (statement: string) =>
      withClient({ ...(await platform.servers.connection('blue')), database: 'postgres' }, 'test', (client) =>
        client.query(statement),
      );
    for (const after of ['prepare-reverse', 'look', 'hold']) {
      const error = await beside(environment, 'switch', after, async () => void (await inPostgres(made)));
      expect.soft(error, after).toMatchObject({
        id: 'seal-broken',
        message: expect.stringMatching(/postgres: table public\.late/) as string,
      });
      await inPostgres('DROP TABLE late');
    }
    // In one that both colours have as it was copied.
    const inStamp = async (statement: string) =>
      withClient({ ...(await platform.servers.connection('blue')), database: 'stamp' }, 'test', (client) =>
        client.query(statement),
      );
    for (const after of ['prepare-reverse', 'look', 'hold']) {
      const error = await beside(
        environment,
        'switch',
        after,
        async () => void (await inStamp('INSERT INTO stamped VALUES (2)')),
      );
      expect.soft(error, after).toMatchObject({
        id: 'seal-broken',
        message: expect.stringMatching(/stamp/) as string,
      });
      await inStamp('DELETE FROM stamped WHERE id = 2');
    }
    // What is no change: files of tables and partitions, statistics, temporary tables, TRUNCATE of a root.
    const { verdict } = await environment.clients(async () => {
      const ended = await beside(environment, 'switch', 'look', () =>
        on('blue', async (client) => {
          await client.query(
            'CREATE TEMP TABLE scratch (id serial PRIMARY KEY, v text); TRUNCATE item, part; REINDEX TABLE item; ANALYZE',
          );
          await client.query('VACUUM (FULL) item');
          await client.query('VACUUM (FULL) part_1');
        }),
      );
      expect(ended).toBeUndefined();
    });
    expect(verdict).toMatchObject(good);

    // The way back is as exact, and does not mind an index or a table that only one side has.
    await on('green', (client) => client.query(`CREATE INDEX hotfix ON item (v); ${made}`));
    const back = await beside(environment, 'rollback', 'look', () =>
      on('green', async (client) => void (await client.query('CREATE TABLE later (id int PRIMARY KEY)'))),
    );
    expect(back).toMatchObject({
      id: 'seal-broken',
      message: expect.stringMatching(/on green: .*table public\.later/) as string,
    });
    const troubles = async () => (await readStatus(environment.environment, platform)).troubles;
    expect(await troubles()).toEqual([]);
    await on('green', (client) => client.query('ALTER TABLE item ADD COLUMN more int'));
    expect(await troubles()).toMatchObject([
      {
        id: 'schema-drift',
        seen: expect.stringMatching(/item\.more/) as string,
        repair: expect.stringMatching(/^Undo/) as string,
      },
    ]);
    await expect(verb('rollback')).rejects.toMatchObject({
      facts: { findings: [{ id: 'schema-drift', fix: expect.not.stringMatching(/abandon/) as string }] },
    });
    await on('green', (client) => client.query('ALTER TABLE item DROP COLUMN more'));
    const unseen = await beside(environment, 'rollback', 'prepare-reverse', () =>
      on('green', async (client) => void (await client.query('CREATE TABLE unseen (id int PRIMARY KEY)'))),
    );
    expect(unseen).toMatchObject({
      id: 'seal-broken',
      message: expect.stringMatching(/table public\.unseen.* would be left behind/) as string,
    });
    // What replication by the root does not carry is compared by the gates: equal after VACUUM FULL, emptied on one
    // side after TRUNCATE.
    await on('green', (client) => client.query('INSERT INTO part SELECT generate_series(1, 50)'));
    await on('green', (client) => client.query('VACUUM (FULL) part_1'));
    const truncated = await beside(environment, 'rollback', 'prepare-reverse', () =>
      on('green', async (client) => void (await client.query('TRUNCATE part_1; INSERT INTO part VALUES (77)'))),
    );
    expect(truncated).toMatchObject({ id: 'seal-broken', message: expect.stringMatching(/part_1/) as string });
    await expect(verb('rollback')).rejects.toMatchObject({
      facts: {
        findings: [{ id: 'partition-rewritten', fix: expect.stringMatching(/TRUNCATE public\.part_1/) as string }],
      },
    });
    await on('blue', (client) => client.query('TRUNCATE part_1; INSERT INTO part VALUES (77)'));
    await verb('rollback');
    const kept = await on('blue', (client) => rows<{ id: number }>(client, 'SELECT id FROM part'));
    expect(kept).toEqual([{ id: 77 }]);
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'migrated', live: 'blue' });
    const compared = environment.events.flatMap((event) => (event.type === 'progress' ? [event.note] : []));
    expect(compared).toContain('public.part_1');
    expect(environment.events).toContainEqual(
      expect.objectContaining({ finding: expect.objectContaining({ id: 'left-behind', grade: 'warn' }) as unknown }),
    );
  });
});
