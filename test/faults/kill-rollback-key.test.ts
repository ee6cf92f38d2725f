import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

const fill = async (client: Client): Promise<void> =>
  void (await client.query(
    `CREATE TABLE coded (id int PRIMARY KEY, code int NOT NULL UNIQUE, n int NOT NULL DEFAULT 0);
     INSERT INTO coded SELECT g, 1000 + g FROM generate_series(1, 20) g`,
  ));

const change = async (client: Client): Promise<void> =>
  void (await client.query(
    'UPDATE coded SET n = n + 1; DELETE FROM coded WHERE id = (SELECT max(id) FROM coded); INSERT INTO coded VALUES (0, 999)',
  ));

const held = (client: Client) =>
  one(client, 'SELECT count(*)::int AS rows, sum(n)::int AS n, sum(code)::int AS codes FROM coded');

const standIns = (client: Client) =>
  rows(client, "SELECT FROM pg_class WHERE relname ~ '^verdigris_identity_' AND relkind = 'i'");

test(
  'a rollback of a release that changed a primary key, killed everywhere: rows are found by the index that stands in, either way, and no live colour keeps one',
  { timeout },
  async () => {
    const migrations = await temporaryFolder();
    await writeFile(
      path.join(migrations, '0001_key.sql'),
      'ALTER TABLE coded DROP CONSTRAINT coded_pkey, ADD CONSTRAINT coded_pkey PRIMARY KEY (code); ALTER TABLE coded ADD CONSTRAINT coded_id_key UNIQUE (id);',
    );
    try {
      await withBench({ deadman: false, fill, migrations }, async (bench) => {
        const { verdict } = await bench.exercise(async (workload) => {
          for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
          expect(await bench.on('blue', standIns)).toHaveLength(1);
          await bench.on('green', change);
          const wanted = await bench.on('green', held);
          await killEverywhere(bench, workload, 'rollback', {}, 'switched', 'migrated');
          expect(await bench.on('blue', held)).toEqual(wanted);
          expect(await bench.on('blue', standIns)).toEqual([]);
          await bench.on('blue', async (client) => {
            await client.query('DELETE FROM coded WHERE id = 0');
            await change(client);
          });
          await bench.verb('verify');
          expect(await bench.on('green', held)).toEqual(await bench.on('blue', held));
          await bench.harvest();
          await bench.verb('abandon');
          await served(workload);
        });
        expect(verdict).toMatchObject(good);
        expect(await bench.leftovers()).toEqual(nothing);
      });
    } finally {
      await rm(migrations, { recursive: true, force: true });
    }
  },
);
