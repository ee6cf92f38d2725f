import { expect, test } from 'vitest';
import { rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { glance, movedCatalogues } from '../../../src/postgres/seal/glance.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { statements, unnoticed } from './noticed.ts';

test('changes of a live database that a switchover does not carry are noticed at a glance, and named: a sample', async () => {
  const sample = (await statements()).filter((_, at) => at % 15 === 0);
  expect(sample.length).toBeGreaterThan(9);
  expect(await unnoticed(sample)).toEqual([]);
});

const fleeting = `
  CREATE TEMP TABLE scratch (id serial PRIMARY KEY, v text DEFAULT 'x' UNIQUE, n int CHECK (n > 0));
  CREATE INDEX ON scratch (n); CREATE TEMP TABLE more () INHERITS (scratch); CREATE TEMP VIEW seen AS SELECT v FROM scratch;
  COMMENT ON TABLE scratch IS 'x'; COMMENT ON COLUMN scratch.v IS 'x'; CREATE STATISTICS pg_temp.st ON v, n FROM scratch;
  CREATE TEMP TABLE parts (id int) PARTITION BY LIST (id); CREATE TEMP TABLE part PARTITION OF parts DEFAULT;
  CREATE FUNCTION pg_temp.once(a int) RETURNS int LANGUAGE sql RETURN a + 1;
  CREATE TYPE pg_temp.mood AS ENUM ('good', 'bad'); CREATE TYPE pg_temp.pair AS (a int); CREATE TYPE pg_temp.span AS RANGE (subtype = float8);
  CREATE DOMAIN pg_temp.positive AS int CHECK (VALUE > 0)`;

test('what belongs to one session alone is no change, whether it comes or goes', async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE VIEW lasting AS SELECT 1 AS a');
    const before = await glance(client);
    const during = await withClient(connectionTo(server, 'test'), 'temporary', async (other) => {
      await other.query(fleeting);
      expect(movedCatalogues(before, await glance(client, before))).toEqual([]);
      // Beside it, what lasts is seen.
      await client.query('ALTER VIEW lasting ALTER COLUMN a SET DEFAULT 2');
      expect(movedCatalogues(before, await glance(client, before))).toContain('pg_attrdef');
      return glance(client);
    });
    await until(
      'they are gone',
      async () => (await rows(client, "SELECT FROM pg_proc WHERE proname = 'once'")).length === 0,
    );
    expect(movedCatalogues(during, await glance(client, during))).toEqual([]);
  });
});
